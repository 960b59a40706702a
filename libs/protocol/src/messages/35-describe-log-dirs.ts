/**
 * DescribeLogDirs: directories, free space and replica sizes of one broker (KIP-113).
 *
 *   v2  flexible    v3  top-level error    v4  total and usable bytes (KIP-827)    v5  cordoned directories (KIP-1066)
 */
import {
  api,
  array,
  bool,
  int16,
  int32,
  offset,
  byteSize,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The DescribeLogDirs API. */
export const DescribeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexible: 2,

  request: {
    /** Null asks for all. */
    topics: array({ topic: string, partitions: array(int32) }).orNull(),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16.since(3).ignorable(),
    results: array({
      errorCode: int16,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: byteSize,
          offsetLag: offset,
          /** True for the copy that will replace the present one. */
          isFutureKey: bool,
        }),
      }),
      totalBytes: byteSize.since(4).default(-1).ignorable(),
      usableBytes: byteSize.since(4).default(-1).ignorable(),
      isCordoned: bool.since(5).default(false).ignorable(),
    }),
  },
});

/** A decoded DescribeLogDirs request. */
export type DescribeLogDirsRequest = RequestOf<typeof DescribeLogDirs>;
/** A decoded DescribeLogDirs response. */
export type DescribeLogDirsResponse = ResponseOf<typeof DescribeLogDirs>;
