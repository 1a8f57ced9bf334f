import { inspect } from "node:util";

/**
 * A value that must never reach a log, a response or an error by accident. Printing, serialising
 * and concatenating all give `[secret]`; the one way to the value is `reveal()`, which is easy to
 * search for.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
