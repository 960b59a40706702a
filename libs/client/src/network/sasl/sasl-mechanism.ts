/**
 * The port of SASL mechanisms: what a client says in one authentication of one connection.
 *
 * Guarantees nothing by itself; whoever implements it (see plain.ts, scram.ts, oauth-bearer.ts, or an application's
 * own, such as MSK IAM) decides what is sent. The order of messages on the wire is authentication.ts.
 */

/** One authentication. Made anew for every connection and every re-authentication. */
export interface SaslMechanism {
  /** The registered name, as brokers list it: `PLAIN`, `AWS_MSK_IAM`. */
  readonly name: string;
  /** The client's first message. A throw or rejection fails this attempt; the client tries again after its back-off. */
  start(): Buffer | Promise<Buffer>;
  /**
   * The answer to what the broker said; null when there is nothing more to say and the broker is accepted.
   * A throw or rejection ends the authentication with SASL_AUTHENTICATION_FAILED.
   */
  step(challenge: Buffer): Buffer | null | Promise<Buffer | null>;
}

/** What a mechanism may need to know of the connection. */
export interface SaslContext {
  /** Host of the broker, as it is connected to. */
  readonly host: string;
  readonly port: number;
}

/** Makes the mechanism for one authentication. */
export type SaslMechanismFactory = (context: SaslContext) => SaslMechanism;
