/**
 * Reads Kafka's `listeners` and `advertised.listeners`: NAME://host:port, several with commas.
 *
 * Guarantees: what this broker cannot serve (a second listener, TLS, SASL) is an error that says what to change, never
 * ignored. Listeners of a Raft controller, as in the server.properties that Kafka ships, are passed over.
 */
import type { BrokerConfig } from './cluster/broker-config.js';
import { BrokerError } from './errors.js';

/** Where to listen, or what clients are told. */
export interface Endpoint {
  /** Empty: all addresses of this machine. */
  readonly host: string;
  readonly port: number;
}

const LISTENER = /^([A-Za-z0-9._-]+):\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:/]*)):(\d{1,5})$/;
const PORT_MAX = 65_535;
const SERVED_PROTOCOL = 'PLAINTEXT';

/** The endpoint that a listener config names, or null when it is not set. */
export function readListener(config: BrokerConfig, name: 'listeners' | 'advertised.listeners'): Endpoint | null {
  const controllers = new Set(config.list('controller.listener.names'));
  const own = config
    .list(name)
    .map((text) => parse(name, text))
    .filter((listener) => !controllers.has(listener.name));
  if (own.length > 1) {
    throw new BrokerError(
      'CONFIG',
      `${name} names ${own.length} listeners (${config.text(name) ?? ''}); this broker serves one. Leave one of them.`,
    );
  }
  const listener = own[0];
  if (listener === undefined) return null;
  const protocol = protocolOf(config, listener.name);
  if (protocol !== SERVED_PROTOCOL) {
    throw new BrokerError(
      'CONFIG',
      `${name} asks for ${protocol}${protocol === listener.name ? '' : ` (${listener.name})`}; this broker speaks ${SERVED_PROTOCOL} only. ` +
        `Write ${name}=PLAINTEXT://${listener.host}:${listener.port}.`,
    );
  }
  return { host: listener.host, port: listener.port };
}

function parse(config: string, text: string): { name: string; host: string; port: number } {
  const match = LISTENER.exec(text);
  const port = Number(match?.[4]);
  if (match !== null && port > PORT_MAX) {
    throw new BrokerError(
      'CONFIG',
      `${config} has '${text}', whose port is ${match[4]!}. A port is a whole number from 0 to ${PORT_MAX}; correct it.`,
    );
  }
  if (match === null) {
    throw new BrokerError(
      'CONFIG',
      `${config} has '${text}', which is no listener. Write NAME://host:port, for example PLAINTEXT://127.0.0.1:9092.`,
    );
  }
  return { name: match[1]!, host: match[2] ?? match[3] ?? '', port };
}

function protocolOf(config: BrokerConfig, listener: string): string {
  for (const entry of config.list('listener.security.protocol.map')) {
    const [name, protocol] = entry.split(':');
    if (name === listener) return protocol ?? '';
  }
  return listener;
}
