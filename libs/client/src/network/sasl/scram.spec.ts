import { inspect } from 'node:util';
import type { SaslMechanism } from './sasl-mechanism.js';
import { scram } from './scram.js';

/** The exchange in RFC 7677, section 3. */
const RFC_7677 = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

function rfcClient(password = 'pencil'): SaslMechanism {
  return scram('SCRAM-SHA-256', { username: 'user', password, nonce: RFC_7677.nonce });
}

/** What is said to the broker after its message; rejects for a throw too. */
async function answer(mechanism: SaslMechanism, challenge: string): Promise<string | null> {
  return (await mechanism.step(Buffer.from(challenge)))?.toString() ?? null;
}

describe('SCRAM', () => {
  it('says what RFC 7677 says, and accepts its server', async () => {
    const client = rfcClient();
    expect((await client.start()).toString()).toBe(RFC_7677.clientFirst);
    expect(await answer(client, RFC_7677.serverFirst)).toBe(RFC_7677.clientFinal);
    expect(await answer(client, RFC_7677.serverFinal)).toBeNull();
  });

  it.each([
    ['a signature of somebody else', `v=${Buffer.alloc(32).toString('base64')}`, /signature is wrong/],
    ['a signature that is too short', 'v=6rri', /signature is wrong/],
    ['no signature', '', /signature is wrong/],
    ['a refusal', 'e=invalid-proof', /refused the SCRAM exchange: invalid-proof/],
  ])('does not accept a server with %s', async (_, serverFinal, reason) => {
    const client = rfcClient();
    await answer(client, RFC_7677.serverFirst);
    await expect(answer(client, serverFinal)).rejects.toThrow(reason);
  });

  it('does not accept a server that goes on after the end', async () => {
    const client = rfcClient();
    await answer(client, RFC_7677.serverFirst);
    await answer(client, RFC_7677.serverFinal);
    await expect(answer(client, RFC_7677.serverFinal)).rejects.toThrow(/after the end/);
  });

  const nonce = `${RFC_7677.nonce}server`;
  it.each([
    ['the nonce of another exchange', 'r=other,s=AAAA,i=4096', /nonce does not extend/],
    ['our nonce alone', `r=${RFC_7677.nonce},s=AAAA,i=4096`, /nonce does not extend/],
    ['too few iterations', `r=${nonce},s=AAAA,i=4095`, /asks for 4095 iterations, accepted are 4096 to 1000000/],
    ['far too many iterations', `r=${nonce},s=AAAA,i=1000001`, /asks for 1000001 iterations/],
    ['no number of iterations', `r=${nonce},s=AAAA,i=many`, /malformed/],
    ['no salt', `r=${nonce},s=,i=4096`, /malformed/],
    ['a mandatory extension', `m=new,r=${nonce},s=AAAA,i=4096`, /malformed or has an unknown extension/],
    ['nothing', '', /malformed/],
  ])('refuses a first message with %s', async (_, serverFirst, reason) => {
    await expect(answer(rfcClient(), serverFirst)).rejects.toThrow(reason);
  });

  it('ignores optional extensions of the broker', async () => {
    expect(await answer(rfcClient(), `r=${nonce},s=AAAA,i=4096,x=later`)).toMatch(/^c=biws,r=.*,p=/);
  });

  it('writes signs that would divide the message in another way', async () => {
    const client = scram('SCRAM-SHA-512', { username: 'a=b,c', password: 'x', nonce: 'n' });
    expect((await client.start()).toString()).toBe('n,,n=a=3Db=2Cc,r=n');
  });

  it('takes a nonce of its own for every exchange', async () => {
    const credentials = { username: 'user', password: 'x' };
    const first = async () => (await scram('SCRAM-SHA-512', credentials).start()).toString();
    expect(await first()).not.toBe(await first());
  });

  it('proves with 64 bytes by SHA-512', async () => {
    const client = scram('SCRAM-SHA-512', { username: 'user', password: 'pencil', nonce: RFC_7677.nonce });
    const proof = /,p=(.*)$/.exec((await answer(client, RFC_7677.serverFirst)) ?? '')?.[1] ?? '';
    expect(Buffer.from(proof, 'base64')).toHaveLength(64);
  });

  it('does not show the password when it is printed', () => {
    expect(inspect(rfcClient('hunter2'), { depth: 9, showHidden: true })).not.toContain('hunter2');
  });
});
