/**
 * A reason why the demo cannot start, in one sentence for whoever typed the command: shown without a stack.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}
