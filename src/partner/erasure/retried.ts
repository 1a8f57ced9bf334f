import { isPassingTrouble } from "../../store/database.ts";

const TRIES_MAX = 3;

/** Again after trouble that passes: a batch may meet others on the same rows, and be the one to yield. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES_MAX || !isPassingTrouble(error)) {
        throw error;
      }
    }
  }
}
