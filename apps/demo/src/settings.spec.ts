import { readSettings } from './settings.js';

describe('settings of the demo', () => {
  it('have defaults, take variables, and options before those', () => {
    expect(readSettings({})).toEqual({ port: 3000, brokerPort: 9092, dataDir: '.data', bootstrapServers: undefined });
    const environment = { PORT: '1', BROKER_PORT: '2', DATA_DIR: 'x', BOOTSTRAP_SERVERS: 'a:1, [::1]:2' };
    expect(readSettings(environment)).toEqual({
      port: 1,
      brokerPort: 2,
      dataDir: 'x',
      bootstrapServers: 'a:1,[::1]:2',
    });
    const args = ['--port', '5', '--broker-port=6', '--data-dir', 'y', '--bootstrap-servers', 'b:3'];
    expect(readSettings(environment, args)).toEqual({ port: 5, brokerPort: 6, dataDir: 'y', bootstrapServers: 'b:3' });
  });

  it.each([
    [{ PORT: 'many' }, [], /^PORT must be a port, a number from 0 to 65535, and is 'many'/],
    [{ BROKER_PORT: '65536' }, [], /^BROKER_PORT must be a port/],
    [{}, ['--port', '-1'], /--port/],
    [{}, ['--port', '1e3'], /^--port must be a port, .*'1e3'/],
    [{}, ['--port'], /--port/],
    [{}, ['--colour'], /^Unknown option '--colour'\. The demo takes --port, --broker-port/],
    [{ BOOTSTRAP_SERVERS: 'foo' }, [], /^BOOTSTRAP_SERVERS must be host:port, .*'foo'/],
    [{ BOOTSTRAP_SERVERS: 'a:1,,b:2' }, [], /^BOOTSTRAP_SERVERS/],
    [{ BOOTSTRAP_SERVERS: 'http://a:1' }, [], /^BOOTSTRAP_SERVERS/],
    [{ BOOTSTRAP_SERVERS: 'a:0' }, [], /^BOOTSTRAP_SERVERS/],
  ])('refuses %j %j in one sentence', (environment, args, message) => {
    expect(() => readSettings(environment, args)).toThrow(message);
  });
});
