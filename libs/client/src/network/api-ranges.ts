/**
 * The versions of each API that one broker speaks, and the choice of the one to use.
 *
 * Guarantees the highest version both sides know, inside the bounds a caller sets; none is an UNSUPPORTED_VERSION error
 * that names the API and both ranges.
 */
import type { Api } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError } from '../errors.js';

/** Lowest and highest version, both included. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** A caller's own bounds on the version of a request. */
export interface VersionBounds {
  /** Lowest version that has what the caller needs. Default: the lowest of the declaration. */
  readonly minVersion?: number;
  /** Highest version the caller understands. Default: the highest of the declaration. */
  readonly maxVersion?: number;
}

/** One broker's answer to ApiVersions. */
export class ApiRanges {
  private readonly ranges: ReadonlyMap<number, VersionRange>;

  constructor(
    apiKeys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[],
    private readonly finalizedFeatures: readonly { readonly name: string; readonly maxVersionLevel: number }[] = [],
  ) {
    this.ranges = new Map(apiKeys.map((each) => [each.apiKey, { min: each.minVersion, max: each.maxVersion }]));
  }

  /** The broker's range of an API; undefined when it does not know the API. */
  range(api: Api): VersionRange | undefined {
    return this.ranges.get(api.key);
  }

  /** The level of a feature that the whole cluster has agreed on (KIP-584); 0 when it is none. */
  featureLevel(name: string): number {
    return this.finalizedFeatures.find((feature) => feature.name === name)?.maxVersionLevel ?? 0;
  }

  /** Whether client and broker have a version in common, inside the bounds. */
  supports(api: Api, bounds: VersionBounds = {}): boolean {
    return this.highestCommon(api, bounds) !== null;
  }

  /**
   * The version to use.
   *
   * @param broker how to call the broker in the error: `Broker localhost:9092`
   * @throws KafkaError UNSUPPORTED_VERSION when there is none
   */
  choose(api: Api, bounds: VersionBounds, broker: string): number {
    const version = this.highestCommon(api, bounds);
    if (version !== null) return version;
    const { min, max } = clientRange(api, bounds);
    const range = this.ranges.get(api.key);
    const offered = range === undefined ? 'does not know' : `speaks versions ${range.min} to ${range.max} of`;
    throw new KafkaError(
      ClientErrorCode.UNSUPPORTED_VERSION,
      `${broker} ${offered} ${api.name}, this call needs ${min} to ${max}. ` +
        'Use a broker that has it, or do without the feature that needs it.',
    );
  }

  private highestCommon(api: Api, bounds: VersionBounds): number | null {
    const range = this.ranges.get(api.key);
    if (range === undefined) return null;
    const wanted = clientRange(api, bounds);
    const version = Math.min(wanted.max, range.max);
    return version >= Math.max(wanted.min, range.min) ? version : null;
  }
}

function clientRange(api: Api, bounds: VersionBounds): VersionRange {
  const [min, max] = api.versions;
  return { min: Math.max(min, bounds.minVersion ?? min), max: Math.min(max, bounds.maxVersion ?? max) };
}
