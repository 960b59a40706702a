import { type FailedConnection, connectionFailure, foreignAnswer } from './connection-failure.js';

function failed(
  securityProtocol: FailedConnection['securityProtocol'],
  stage: FailedConnection['stage'] = 'connecting',
): FailedConnection {
  return { address: 'kafka:9092', securityProtocol, stage };
}

function coded(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

const RESET = coded('ECONNRESET', 'read ECONNRESET');

describe('connectionFailure', () => {
  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', /certificate is not trusted \(SELF_SIGNED_CERT_IN_CHAIN: .*Set "ssl\.ca"/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /certificate is not trusted .*Set "ssl\.ca"/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /certificate is for another host .*or set "ssl\.servername"/],
    ['CERT_HAS_EXPIRED', /certificate is not valid now \(CERT_HAS_EXPIRED\)\. Renew it/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /this listener does not speak TLS\. Set "securityProtocol" to PLAINTEXT/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /did not accept this client .*Set "ssl\.cert" and "ssl\.key"/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /did not accept this client .*Set "ssl\.cert" and "ssl\.key"/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /TLS could not be agreed on .*"ssl\.minVersion"/],
  ])('is fatal for %s, and names the option', (code, message) => {
    const failure = connectionFailure(failed('SASL_SSL'), coded(code));
    expect(failure).toMatchObject({ code: 'SSL_AUTHENTICATION_FAILED', fatal: true, retriable: false });
    expect(failure.message).toMatch(/^The connection to kafka:9092 could not be opened: /);
    expect(failure.message).toMatch(message);
  });

  it.each<[FailedConnection, Error | null, string]>([
    [failed('PLAINTEXT'), coded('ECONNREFUSED', 'no'), 'could not be opened: no.'],
    [failed('SSL'), coded('ECONNREFUSED', 'no'), 'could not be opened: no.'],
    [failed('PLAINTEXT', 'used'), RESET, 'was lost: read ECONNRESET.'],
    [failed('SSL', 'used'), null, 'was lost: the broker closed it.'],
    [failed('SASL_SSL', 'unused'), null, 'was lost: the broker closed it.'],
    [
      failed('PLAINTEXT', 'opening'),
      null,
      'could not be opened: the broker closed it. Is it a listener with TLS or SASL? Then set "securityProtocol".',
    ],
    [
      failed('PLAINTEXT', 'unused'),
      null,
      'was lost: the broker closed it. Is it a listener with TLS or SASL? Then set "securityProtocol".',
    ],
    [
      failed('SSL'),
      RESET,
      'could not be opened: read ECONNRESET. Is it a listener with TLS? If not, set "securityProtocol" to PLAINTEXT or SASL_PLAINTEXT.',
    ],
    [
      failed('SSL', 'opening'),
      null,
      'could not be opened: the broker closed it. Does it ask for client certificates? Then set "ssl.cert" and "ssl.key".',
    ],
  ])('is retriable otherwise, with a hint where one helps: %j', (connection, error, message) => {
    const failure = connectionFailure(connection, error);
    expect(failure).toMatchObject({ code: 'NETWORK', fatal: false, retriable: true });
    expect(failure.message).toBe(`The connection to kafka:9092 ${message}`);
  });
});

describe('foreignAnswer', () => {
  const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50]);

  it('recognises a TLS alert where none is expected', () => {
    expect(foreignAnswer(failed('PLAINTEXT'), alert)?.message).toMatch(/this listener speaks TLS\. Set .* to SSL\.$/);
    expect(foreignAnswer(failed('SASL_PLAINTEXT'), alert)?.message).toMatch(/Set "securityProtocol" to SASL_SSL\.$/);
  });

  it('leaves everything else alone', () => {
    expect(foreignAnswer(failed('SSL'), alert)).toBeNull();
    expect(foreignAnswer(failed('PLAINTEXT'), Buffer.from([0, 0, 0, 20]))).toBeNull();
  });

  it.each(['PLAINTEXT', 'SASL_SSL'] as const)('recognises an HTTP server, with %s', (protocol) => {
    const failure = foreignAnswer(failed(protocol), Buffer.from('HTTP/1.1 400 Bad Request\r\n'));
    expect(failure).toMatchObject({ code: 'NETWORK', retriable: true });
    expect(failure?.message).toMatch(/^The connection to kafka:9092 could not be opened: an HTTP server answered, /);
  });
});
