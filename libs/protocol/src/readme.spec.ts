/**
 * The program of the README: it runs here, and the README must show the same lines.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BatchBuilder,
  ErrorCode,
  FrameSplitter,
  Produce,
  apiByKey,
  decodeRecords,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  peekRequestHeader,
} from './index.js';

describe('README', () => {
  it('shows a program that works', () => {
    const printed: string[] = [];
    const console = { log: (text: string) => printed.push(text) };

    // <readme>
    // A client: one batch with one record, in a whole frame.
    const batch = new BatchBuilder({ capacityBytes: 1024 });
    batch.append(Date.now(), 'order-1', '{"item":"book"}', null);
    const partitionData = [{ index: 0, records: batch.finish() }];
    const request = encodeRequest(Produce, 9, 1, 'me', {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: 'orders', partitionData }],
    });

    // A broker: bytes in any pieces become frames; the header says which declaration reads the body.
    const splitter = new FrameSplitter(100 * 1024 * 1024);
    splitter.push(Buffer.concat(request), (frame) => {
      const { apiKey, apiVersion } = peekRequestHeader(frame);
      const api = apiByKey(apiKey);
      if (api !== Produce) throw new Error(`this broker does not know API ${apiKey}`);
      const header = decodeRequestHeader(frame, Produce);
      const body = decodeRequestBody(Produce, apiVersion, frame, header.bodyOffset);
      for (const { name, partitionData } of body.topicData) {
        const records = partitionData[0]?.records ?? Buffer.alloc(0);
        console.log(`${header.clientId} sends ${name}: ${decodeRecords(records)[0]?.value?.toString()}`);
      }
      const partitionResponses = [{ index: 0, errorCode: ErrorCode.NONE, baseOffset: 42 }];
      const response = encodeResponse(Produce, apiVersion, header.correlationId, {
        responses: [{ name: 'orders', partitionResponses }],
      });

      // The client again.
      new FrameSplitter(1024).push(Buffer.concat(response), (answer) => {
        const { responses } = decodeResponse(Produce, apiVersion, answer);
        console.log(`stored at offset ${responses[0]?.partitionResponses[0]?.baseOffset}`);
      });
    });
    // </readme>

    expect(printed).toEqual(['me sends orders: {"item":"book"}', 'stored at offset 42']);
    const source = readFileSync(join(import.meta.dirname, 'readme.spec.ts'), 'utf8');
    const program = /\/\/ <readme>\n(.*?)\s*\/\/ <\/readme>/s.exec(source)?.[1] ?? '';
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    expect(readme).toContain(program.replace(/^ {4}/gm, ''));
  });
});
