import { silentLog } from '../../io/log.js';
import type { ClientProperties } from '../driver-options.js';
import { nativeDriver } from './native.driver.js';

const SASL = { mechanism: 'PLAIN', username: 'alice', password: 'hunter2' };
const SERVERS = { bootstrapServers: 'localhost:9092' };

describe('native driver: security', () => {
  const driver = nativeDriver(silentLog);
  const kinds = {
    producer: (options: ClientProperties) => driver.createProducer(options),
    consumer: (options: ClientProperties) => driver.createConsumer(options),
    admin: (options: ClientProperties) => driver.createAdmin(options),
  };

  it.each(Object.entries(kinds))('hands TLS and SASL to the client: %s', async (_, create) => {
    const oauthBearerProvider = (): { value: string } => ({ value: 'token' });
    const ssl = { servername: 'kafka.example', checkServerIdentity: () => undefined };
    const clients = [
      create({ ...SERVERS, securityProtocol: 'SASL_SSL', ssl, sasl: SASL }),
      create({ ...SERVERS, securityProtocol: 'SASL_SSL', sasl: { mechanism: 'OAUTHBEARER', oauthBearerProvider } }),
    ];
    await Promise.all(clients.map((client) => client.close(0)));
    expect(() => create({ ...SERVERS, sasl: SASL })).toThrow(/^Option "sasl" has no effect when "securityProtocol"/);
    expect(() => create({ ...SERVERS, securityProtocol: 'SSL', ssl: { ca: '' } })).toThrow(/^Option "ssl\.ca" must be/);
  });
});
