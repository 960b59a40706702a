/**
 * The options of an admin client.
 */
import {
  CLIENT_OPTION_TABLE,
  type ClientOptions,
  integerOption,
  type OptionTable,
  type ResolvedClientOptions,
  resolveClientOptions,
} from '../options.js';

/** Options of {@link createAdmin}, beside those of every client. */
export interface AdminOptions extends ClientOptions {
  /** Limit of every call that is given none of its own, retries included. Default 60000. */
  defaultApiTimeoutMs?: number;
}

/** {@link AdminOptions} with every default filled in. */
export interface ResolvedAdminOptions extends ResolvedClientOptions {
  readonly defaultApiTimeoutMs: number;
}

const ADMIN_OPTION_TABLE: OptionTable<ResolvedAdminOptions> = {
  ...CLIENT_OPTION_TABLE,
  defaultApiTimeoutMs: integerOption({ default: 60_000, min: 1 }),
};

/** Checks the options of an admin client and fills in the defaults. @throws KafkaError CONFIG */
export function resolveAdminOptions(options: AdminOptions): ResolvedAdminOptions {
  return resolveClientOptions('admin', ADMIN_OPTION_TABLE, options);
}
