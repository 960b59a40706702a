/**
 * Recognises what is not Kafka on Kafka's port: an HTTP request, a TLS hello, a ZooKeeper four-letter word, SSH.
 *
 * People point a browser, curl or a TLS client at the broker's port every day; a log line that says so, and what to do,
 * saves them an hour. Pure: bytes in, a sentence out. Judges only the first bytes of a connection.
 */

/** Bytes of a connection's opening that are kept for this judgement. */
export const OPENING_BYTES = 64;

/** What came in and what its sender should be told. */
export interface ForeignOpening {
  /** One sentence for the log: what it is and what to do. */
  readonly explanation: string;
  /** What to answer before closing, in the other protocol's words; null: just close. */
  readonly answer: string | null;
}

const HTTP_METHODS = [
  'GET ',
  'HEAD ',
  'POST ',
  'PUT ',
  'DELETE ',
  'OPTIONS ',
  'PATCH ',
  'CONNECT ',
  'TRACE ',
  'PRI * ',
];
const FOUR_LETTER_WORDS = ['ruok', 'stat', 'srvr', 'conf', 'cons', 'envi', 'mntr', 'dump', 'wchs', 'isro'];

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 3;

/** Judges the first bytes of a connection; null when they are nothing we know. */
export function recogniseForeign(opening: Buffer, port: number): ForeignOpening | null {
  const text = opening.toString('latin1');
  if (HTTP_METHODS.some((method) => text.startsWith(method))) return http(text, port);
  if (opening.length >= 2 && opening[0] === TLS_HANDSHAKE && opening[1] === TLS_MAJOR_VERSION) {
    return {
      explanation:
        `a TLS client hello came in on port ${port}, which speaks plain Kafka. ` +
        'Switch TLS off in the client (security.protocol=PLAINTEXT, in Node `ssl: false`).',
      answer: null,
    };
  }
  if (text.startsWith('SSH-')) {
    return { explanation: `an SSH client came in on port ${port}, which speaks Kafka's protocol.`, answer: null };
  }
  if (FOUR_LETTER_WORDS.some((word) => text.trimEnd() === word)) {
    return {
      explanation: `the ZooKeeper command "${text.trimEnd()}" came in on port ${port}, which is a Kafka broker's port.`,
      answer: null,
    };
  }
  return null;
}

function http(text: string, port: number): ForeignOpening {
  const line = text.split('\r\n', 1)[0]!.replace(/[^\x20-\x7e]/g, '?');
  const body =
    `This is port ${port} of a Kafka broker. It speaks Kafka's protocol, not HTTP: ` +
    `give its host and port to a Kafka client as bootstrap servers.\n`;
  return {
    explanation:
      `an HTTP request ("${line}") came in on port ${port}, which speaks Kafka's protocol, not HTTP. ` +
      'Give the address to a Kafka client as bootstrap servers, or ask your HTTP client for another port.',
    answer:
      'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  };
}
