/**
 * The loop that AlterConfigs and IncrementalAlterConfigs share: one answer for each resource, none for one named twice.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { ConfigResource, Outcome } from '../cluster/topic-request.js';

/** One row of either answer. */
export interface AlteredResource extends ConfigResource, Outcome {}

/** Applies `alter` to each resource in order. */
export async function alterResources<R extends ConfigResource>(
  resources: readonly R[],
  alter: (resource: R) => Promise<Outcome>,
): Promise<AlteredResource[]> {
  const mentions = new Map<string, number>();
  for (const resource of resources) mentions.set(keyOf(resource), (mentions.get(keyOf(resource)) ?? 0) + 1);
  const rows: AlteredResource[] = [];
  for (const resource of resources) {
    const { resourceType, resourceName } = resource;
    const isRepeated = mentions.get(keyOf(resource)) !== 1;
    const { errorCode, errorMessage } = isRepeated ? REPEATED : await alter(resource);
    rows.push({ errorCode, errorMessage, resourceType, resourceName });
  }
  return rows;
}

const REPEATED: Outcome = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: 'Each resource must appear at most once.',
};

function keyOf({ resourceType, resourceName }: ConfigResource): string {
  return `${resourceType} ${resourceName}`;
}
