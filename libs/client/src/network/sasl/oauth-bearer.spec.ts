import { type OAuthBearerToken, oauthBearer } from './oauth-bearer.js';
import { plain } from './plain.js';

async function firstMessage(token: unknown): Promise<string> {
  return (await oauthBearer(() => token as OAuthBearerToken).start()).toString();
}

describe('OAUTHBEARER', () => {
  it('sends the token in the form of RFC 7628', async () => {
    expect(await firstMessage({ value: 'abc.def.' })).toBe('n,,\x01auth=Bearer abc.def.\x01\x01');
  });

  it('sends extensions (KIP-342)', async () => {
    expect(await firstMessage({ value: 'abc', extensions: { tenant: 'a b', cluster: 'c=1' } })).toBe(
      'n,,\x01auth=Bearer abc\x01tenant=a b\x01cluster=c=1\x01\x01',
    );
  });

  it('waits for a provider, and asks it anew each time', async () => {
    let asked = 0;
    const provider = (): Promise<OAuthBearerToken> => Promise.resolve({ value: `token${++asked}` });
    const messages = [await oauthBearer(provider).start(), await oauthBearer(provider).start()].map(String);
    expect(messages[0]).toContain('token1');
    expect(messages[1]).toContain('token2');
  });

  it.each([undefined, null, 'secret-token', {}, { value: '' }, { value: 'two words' }, { value: 'a\x01b' }])(
    'refuses the token %j without telling it',
    async (token) => {
      const refusal = firstMessage(token);
      await expect(refusal).rejects.toThrow(/it must give \{ value: string \}/);
      await expect(refusal).rejects.not.toThrow(/secret-token|two words/);
    },
  );

  it.each([
    [{ auth: 'x' }, 'auth'],
    [{ 'no-letter': 'x' }, 'no-letter'],
    [{ tenant: 'a\x01b' }, 'tenant'],
    [{ tenant: '' }, 'tenant'],
  ])('refuses the extensions %j', async (extensions, name) => {
    await expect(firstMessage({ value: 'abc', extensions })).rejects.toThrow(`its extension "${name}" must have`);
  });

  it('is content with an empty answer, and fetches the reason of a refusal', () => {
    const mechanism = oauthBearer(() => ({ value: 'abc' }));
    expect(mechanism.step(Buffer.alloc(0))).toBeNull();
    expect(mechanism.step(Buffer.from('{"status":"invalid_token"}'))).toEqual(Buffer.from('\x01'));
  });
});

describe('PLAIN', () => {
  it('sends name and password in the form of RFC 4616', async () => {
    const mechanism = plain('tim', 'tanstaaftanstaaf');
    expect((await mechanism.start()).toString()).toBe('\0tim\0tanstaaftanstaaf');
    expect(mechanism.step(Buffer.alloc(0))).toBeNull();
  });
});
