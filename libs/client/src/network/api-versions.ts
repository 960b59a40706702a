/**
 * The first exchange on a connection: which versions does this broker speak?
 *
 * Guarantees: the highest ApiVersions version is tried first; a broker that does not know it says so in the layout of
 * v0 (KIP-511) and the exchange goes on with the version it names, or with v0 for brokers before 2.4, which name none.
 */
import { type Api, ApiVersions, ErrorCode, type ResponseOf, decodeResponse } from '@kafka-template/protocol';
import { KafkaError, brokerError } from '../errors.js';
import { ApiRanges } from './api-ranges.js';
import type { PendingRequest } from './request.js';

/** Name and version that this library gives the broker (KIP-511). */
const CLIENT_SOFTWARE = { clientSoftwareName: 'kafka-template', clientSoftwareVersion: '0.1.0' };

const ERROR_CODE_POSITION = 4;

/** What the exchange needs of its connection, and whom it tells the outcome. */
export interface ApiVersionsExchange {
  readonly deadlineMs: number;
  transmit(request: PendingRequest, version: number): void;
  onRanges(ranges: ApiRanges): void;
  onFailed(error: KafkaError): void;
}

/** Asks the broker for its versions. */
export function negotiateApiVersions(exchange: ApiVersionsExchange, version: number = ApiVersions.versions[1]): void {
  const request: PendingRequest = {
    api: ApiVersions,
    body: CLIENT_SOFTWARE,
    bounds: {},
    deadlineMs: exchange.deadlineMs,
    timeoutMs: 0,
    expectResponse: true,
    version: -1,
    correlationId: -1,
    callback: (error, response) => {
      // An error here means that the connection has gone and its owner was told.
      if (error !== null || response === null) return;
      conclude(exchange, version, response as unknown as ResponseOf<typeof ApiVersions>);
    },
  };
  exchange.transmit(request, version);
}

function conclude(exchange: ApiVersionsExchange, version: number, response: ResponseOf<typeof ApiVersions>): void {
  if (response.errorCode === ErrorCode.NONE) {
    // Epoch -1: the broker does not know (yet) what the cluster has agreed on.
    const features = response.finalizedFeaturesEpoch < 0 ? [] : response.finalizedFeatures;
    exchange.onRanges(new ApiRanges(response.apiKeys, features));
    return;
  }
  if (response.errorCode !== ErrorCode.UNSUPPORTED_VERSION || version === 0) {
    exchange.onFailed(brokerError(response.errorCode, 'Asking the broker for its API versions'));
    return;
  }
  const offered = response.apiKeys.find((each) => each.apiKey === ApiVersions.key);
  negotiateApiVersions(exchange, Math.max(0, Math.min(offered?.maxVersion ?? 0, version - 1)));
}

/** The response to an ApiVersions request that the broker refused, which is in v0 whatever was asked; null for anything else. */
export function decodeApiVersions(request: PendingRequest, frame: Buffer): ResponseOf<Api> | null {
  if (request.api.key !== ApiVersions.key || frame.length < ERROR_CODE_POSITION + 2) return null;
  if (frame.readInt16BE(ERROR_CODE_POSITION) !== ErrorCode.UNSUPPORTED_VERSION) return null;
  return decodeResponse(request.api, 0, frame);
}
