/**
 * DescribeConfigs: the settings of topics, brokers, groups, with where each value comes from.
 *
 *   v1  source and synonyms (KIP-226)    v3  type and documentation (KIP-569)    v4  flexible
 */
import { api, array, bool, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeConfigs API. Questions about a broker go to that broker. */
export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexible: 4,

  request: {
    resources: array({
      /** 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8,
      resourceName: string,
      /** Null asks for all. */
      configurationKeys: array(string).orNull(),
    }),
    includeSynonyms: bool.default(false),
    includeDocumentation: bool.since(3).default(false),
  },

  response: {
    throttleTimeMs: int32.default(0),
    results: array({
      errorCode: int16,
      errorMessage: string.orNull(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        /** Null when the value is sensitive. */
        value: string.orNull(),
        readOnly: bool,
        /** 1 topic, 2 dynamic broker, 3 dynamic default broker, 4 static broker, 5 default, 6 logger, 7 metrics, 8 group. */
        configSource: int8.default(-1),
        isSensitive: bool,
        synonyms: array({ name: string, value: string.orNull(), source: int8 }),
        /** 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password. */
        configType: int8.since(3).default(0).ignorable(),
        documentation: string.orNull().since(3).ignorable(),
      }),
    }),
  },
});

/** A decoded DescribeConfigs request. */
export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>;
/** A decoded DescribeConfigs response. */
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>;
