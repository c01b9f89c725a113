import { WardroomError } from '@wardroom/client';

/** Anything thrown as the SDK's error; what is not its own was no answer. */
export function troubleOf(thrown: unknown): WardroomError {
  return thrown instanceof WardroomError ? thrown : new WardroomError('network', { cause: thrown });
}
