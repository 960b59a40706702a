/**
 * Injection tokens of what has no class of its own. Strings, so that they survive two copies of the package.
 */

/** The checked options of the module. */
export const KAFKA_OPTIONS = 'KAFKA_TEMPLATE_OPTIONS';

/** The driver in use. */
export const KAFKA_DRIVER = 'KAFKA_TEMPLATE_DRIVER';

/** The class that makes the options, with `useClass`. */
export const KAFKA_OPTIONS_FACTORY = 'KAFKA_TEMPLATE_OPTIONS_FACTORY';
