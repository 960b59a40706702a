/**
 * From a frame to an answer: header, version check, decode, handle, encode.
 *
 * Guarantees: every frame is answered exactly once or its connection is closed; nothing a client sends throws out of
 * here. An unknown API or version closes the connection, as Kafka does, except that ApiVersions is answered in version 0
 * with the range it has (KIP-511). Leaves out order and bytes: that is net/connection.ts.
 */
import {
  apiByKey,
  ApiVersions,
  decodeRequestBody,
  decodeRequestHeader,
  encodeResponse,
  ErrorCode,
  peekRequestHeader,
  ProtocolError,
  type Api,
} from '@kafka-template/protocol';
import type { BrokerServices, ClientConnection, RequestContext } from './context.js';
import { BorrowedAnswer, CloseConnection, NO_RESPONSE, type Answer, type Handler } from './handler.js';

/** How the answer leaves; net/exchange.ts implements it. */
export interface ReplyPort {
  /** `onSent` is called when nobody needs the bytes any more; after a broken write, never. */
  send(chunks: readonly Buffer[], onSent?: () => void): void;
  none(): void;
  close(reason: string): void;
}

/** Takes one request frame without its length. The frame is valid only during the call. */
export type Dispatch = (frame: Buffer, connection: ClientConnection, reply: ReplyPort) => void;

/** Makes the dispatcher of a broker. `handlers` are looked up by API key. */
export function createDispatch(broker: BrokerServices, handlers: ReadonlyMap<number, Handler>): Dispatch {
  return (frame, connection, reply) => {
    try {
      dispatch(broker, handlers, frame, connection, reply);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      reply.close(`its request cannot be read: ${error.message}. The client is broken or speaks another protocol.`);
    }
  };
}

function dispatch(
  broker: BrokerServices,
  handlers: ReadonlyMap<number, Handler>,
  frame: Buffer,
  connection: ClientConnection,
  reply: ReplyPort,
): void {
  const { apiKey, apiVersion, correlationId } = peekRequestHeader(frame);
  const handler = handlers.get(apiKey);
  if (handler === undefined) {
    const name = apiByKey(apiKey)?.name;
    reply.close(
      `it asked for API ${apiKey}${name === undefined ? '' : ` (${name})`}, which this broker does not serve.`,
    );
    return;
  }
  const [min, max] = handler.versions;
  if (apiVersion < min || apiVersion > max) {
    refuseVersion(broker, handler, apiVersion, correlationId, reply);
    return;
  }
  // The bytes of a frame are gone when this call returns; only a handler that says so works on them in place.
  const stable = handler.readsInPlace === true ? frame : Buffer.from(frame);
  const header = decodeRequestHeader(stable, handler.api);
  const request = decodeRequestBody(handler.api, apiVersion, stable, header.bodyOffset);
  const context: RequestContext = { broker, connection, apiVersion, clientId: header.clientId };
  handle(handler, request, context, correlationId, reply);
}

function handle(
  handler: Handler,
  request: unknown,
  context: RequestContext,
  correlationId: number,
  reply: ReplyPort,
): void {
  let answer: Answer<Api> | Promise<Answer<Api>>;
  try {
    answer = handler.handle(request, context);
  } catch (error) {
    failed(handler, context, error, reply);
    return;
  }
  if (!(answer instanceof Promise)) {
    finish(handler, context, correlationId, answer, reply);
    return;
  }
  answer.then(
    (settled) => finish(handler, context, correlationId, settled, reply),
    (error: unknown) => failed(handler, context, error, reply),
  );
}

function finish(
  handler: Handler,
  context: RequestContext,
  correlationId: number,
  answer: Answer<Api>,
  reply: ReplyPort,
): void {
  if (answer === NO_RESPONSE) {
    reply.none();
    return;
  }
  if (answer instanceof CloseConnection) {
    reply.close(answer.reason);
    return;
  }
  const isBorrowed = answer instanceof BorrowedAnswer;
  const response = isBorrowed ? answer.response : answer;
  let chunks: readonly Buffer[];
  try {
    chunks = encodeResponse(handler.api, context.apiVersion, correlationId, response);
  } catch (error) {
    failed(handler, context, error, reply);
    return;
  }
  if (isBorrowed) reply.send(chunks, answer.release);
  else reply.send(chunks);
}

/** A bug of ours: the client cannot be answered, everyone else goes on. */
function failed(handler: Handler, context: RequestContext, error: unknown, reply: ReplyPort): void {
  const what = `${handler.api.name} v${context.apiVersion}`;
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  context.broker.logger.error(`${what} failed inside the broker. This is a bug, please report it. ${reason}`);
  reply.close(`its ${what} request failed inside the broker; see the error above.`);
}

function refuseVersion(
  broker: BrokerServices,
  handler: Handler,
  apiVersion: number,
  correlationId: number,
  reply: ReplyPort,
): void {
  const [min, max] = handler.versions;
  if (handler.api.key !== ApiVersions.key) {
    const older =
      apiVersion < min ? 'Use a newer client.' : 'The client must ask for the versions with ApiVersions first.';
    reply.close(`it sent ${handler.api.name} v${apiVersion}; this broker serves v${min} to v${max}. ${older}`);
    return;
  }
  const own = broker.advertised.filter((api) => api.apiKey === ApiVersions.key);
  reply.send(encodeResponse(ApiVersions, 0, correlationId, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: own }));
}
