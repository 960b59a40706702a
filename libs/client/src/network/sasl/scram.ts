/**
 * SASL SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677): proves the password without sending it, both ways.
 *
 * Guarantees that the server's nonce extends ours, that its iteration count is neither so low that a listener could
 * guess the password nor so high that it stalls this process, and that the server knows the password too.
 * Leaves out channel binding, which Kafka does not offer, and SASLprep, which Kafka's own client and broker do not
 * apply: a name or password outside ASCII is used as its UTF-8 bytes.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { SaslMechanism } from './sasl-mechanism.js';

/** Lowest iteration count that is accepted: RFC 7677, and Kafka's own lowest. */
export const SCRAM_ITERATIONS_MIN = 4096;

/** Highest: some 60 times Kafka's own highest (16384), half a second of one thread. */
export const SCRAM_ITERATIONS_MAX = 1_000_000;

/** Bytes of randomness in the client's nonce. */
const NONCE_BYTES = 24;

/** The hash of each mechanism, by Node's names. */
const HASHES = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const;

/** The SCRAM mechanisms Kafka has. */
export type ScramName = keyof typeof HASHES;

/** Who authenticates, and what makes a run repeatable. */
export interface ScramCredentials {
  readonly username: string;
  readonly password: string;
  /** The client's nonce, printable and without comma. Default: random. For test vectors. */
  readonly nonce?: string;
}

const deriveKey = promisify(pbkdf2);

/** "n,,": no channel binding, no other identity to act for. */
const GS2_HEADER = 'n,,';

/** One SCRAM authentication. */
export function scram(name: ScramName, credentials: ScramCredentials): SaslMechanism {
  return new Scram(name, HASHES[name], credentials);
}

class Scram implements SaslMechanism {
  private readonly nonce: string;
  private readonly clientFirstBare: string;
  private expectedSignature: Buffer | null = null;
  private isDone = false;
  // Private by language and not only by type: a mechanism that is printed shows no password.
  readonly #password: string;

  constructor(
    readonly name: string,
    private readonly hash: string,
    { username, password, nonce }: ScramCredentials,
  ) {
    this.#password = password;
    this.nonce = nonce ?? randomBytes(NONCE_BYTES).toString('base64');
    const saslName = username.replaceAll('=', '=3D').replaceAll(',', '=2C');
    this.clientFirstBare = `n=${saslName},r=${this.nonce}`;
  }

  start(): Buffer {
    return Buffer.from(GS2_HEADER + this.clientFirstBare);
  }

  step(challenge: Buffer): Promise<Buffer> | null {
    if (this.isDone) throw new Error('the broker goes on after the end of the SCRAM exchange');
    const text = challenge.toString('utf8');
    if (this.expectedSignature === null) return this.prove(text);
    this.verify(text, this.expectedSignature);
    this.isDone = true;
    return null;
  }

  private async prove(serverFirst: string): Promise<Buffer> {
    const { nonce, salt, iterations } = this.readServerFirst(serverFirst);
    const size = createHash(this.hash).digest().length;
    const saltedPassword = await deriveKey(this.#password, salt, iterations, size, this.hash);
    const clientKey = this.hmac(saltedPassword, 'Client Key');
    const storedKey = createHash(this.hash).update(clientKey).digest();
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`;
    const authMessage = `${this.clientFirstBare},${serverFirst},${withoutProof}`;
    const clientSignature = this.hmac(storedKey, authMessage);
    const proof = clientKey.map((byte, index) => byte ^ (clientSignature[index] as number));
    this.expectedSignature = this.hmac(this.hmac(saltedPassword, 'Server Key'), authMessage);
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`);
  }

  private readServerFirst(text: string): { nonce: string; salt: Buffer; iterations: number } {
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,[A-Za-z]=.*)?$/.exec(
      text,
    );
    if (match === null) throw new Error("the broker's first SCRAM message is malformed or has an unknown extension");
    const [, nonce = '', salt = '', count = ''] = match;
    if (!nonce.startsWith(this.nonce) || nonce.length === this.nonce.length) {
      throw new Error("the broker's nonce does not extend the client's: this may be a replayed exchange");
    }
    const iterations = Number(count);
    if (iterations < SCRAM_ITERATIONS_MIN || iterations > SCRAM_ITERATIONS_MAX) {
      const bounds = `${SCRAM_ITERATIONS_MIN} to ${SCRAM_ITERATIONS_MAX}`;
      throw new Error(`the broker asks for ${iterations} iterations, accepted are ${bounds}`);
    }
    return { nonce, salt: Buffer.from(salt, 'base64'), iterations };
  }

  private verify(serverFinal: string, expected: Buffer): void {
    const [, kind, value = ''] = /^([ev])=([^,]*)/.exec(serverFinal) ?? [];
    if (kind === 'e') throw new Error(`the broker refused the SCRAM exchange: ${value}`);
    const signature = Buffer.from(kind === 'v' ? value : '', 'base64');
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new Error("the broker's signature is wrong: it does not know the password, so it may not be the broker");
    }
  }

  private hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.hash, key).update(text).digest();
  }
}
