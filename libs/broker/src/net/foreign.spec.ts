import { recogniseForeign } from './foreign.js';

describe('foreign: what is not Kafka on the port', () => {
  const known: [what: string, opening: Buffer, explanation: RegExp, answer: RegExp | null][] = [
    [
      'a browser',
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n'),
      /HTTP request \("GET \/ HTTP\/1\.1"\).*port 9092/,
      /^HTTP\/1\.1 400 /,
    ],
    ['a POST', Buffer.from('POST /topics HTTP/1.1\r\n'), /HTTP request \("POST \/topics/, /bootstrap servers/],
    ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /HTTP request/, /^HTTP/],
    [
      'a TLS hello',
      Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
      /TLS client hello.*security\.protocol=PLAINTEXT/,
      null,
    ],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), /SSH client/, null],
    ['a ZooKeeper command', Buffer.from('ruok\n'), /ZooKeeper command "ruok"/, null],
  ];
  it.each(known)('recognises %s', (_what, opening, explanation, answer) => {
    const foreign = recogniseForeign(opening, 9092);
    expect(foreign?.explanation).toMatch(explanation);
    if (answer === null) expect(foreign?.answer).toBeNull();
    else expect(foreign?.answer).toMatch(answer);
  });

  it('tells a browser and the log what is wrong and what to do, in these words', () => {
    const foreign = recogniseForeign(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n'), 9092);
    expect(foreign?.explanation).toBe(
      'an HTTP request ("GET / HTTP/1.1") came in on port 9092, which speaks Kafka\'s protocol, not HTTP. ' +
        'Give the address to a Kafka client as bootstrap servers, or ask your HTTP client for another port.',
    );
    expect(foreign?.answer).toMatch(
      /\r\n\r\nThis is port 9092 of a Kafka broker\. It speaks Kafka's protocol, not HTTP: give its host and port to a Kafka client as bootstrap servers\.\n$/,
    );
  });

  it('shows no control characters of a stranger in the log', () => {
    const foreign = recogniseForeign(Buffer.from('GET /\x1b[31m HTTP/1.1\r\n'), 1);
    expect(foreign?.explanation).toContain('GET /?[31m');
  });

  it('promises as many bytes as it sends', () => {
    const answer = recogniseForeign(Buffer.from('GET / HTTP/1.1\r\n'), 9092)?.answer ?? '';
    const [head, body] = answer.split('\r\n\r\n') as [string, string];
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
  });

  it('has nothing to say about random bytes', () => {
    expect(recogniseForeign(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3]), 1)).toBeNull();
    expect(recogniseForeign(Buffer.alloc(0), 1)).toBeNull();
  });
});
