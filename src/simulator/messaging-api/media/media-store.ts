import { subtle } from "node:crypto";
import { randomDigits } from "../../ids.ts";

/** What can be said about a new media. */
export type NewMedia = { bytes: Uint8Array; mimeType: string; filename?: string };

/** One file of one number. */
export type Media = {
  id: string;
  phoneNumberId: string;
  bytes: Buffer;
  mimeType: string;
  filename?: string;
  /** Worked out off the main thread: a large file must not hold up other calls. */
  sha256: Promise<string>;
};

async function sha256Of(bytes: Buffer<ArrayBuffer>): Promise<string> {
  return Buffer.from(await subtle.digest("SHA-256", bytes)).toString("hex");
}

/** All media, kept in memory; the oldest are forgotten when it becomes too much. */
export class MediaStore {
  readonly #byId = new Map<string, Media>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(phoneNumberId: string, { bytes: given, mimeType, filename }: NewMedia): string {
    const id = randomDigits(16);
    const bytes = Buffer.from(given.buffer as ArrayBuffer, given.byteOffset, given.byteLength);
    const named = filename === undefined ? {} : { filename };
    this.#byId.set(id, { id, phoneNumberId, bytes, mimeType, ...named, sha256: sha256Of(bytes) });
    this.#bytes += bytes.length;
    for (const oldest of this.#byId.values()) {
      if (this.#bytes <= this.#bytesMax || oldest.id === id) {
        break;
      }
      this.#forget(oldest);
    }
    return id;
  }

  /** The number's own media; another number's is as unknown as none. */
  find(phoneNumberId: string, id: string): Media | undefined {
    const media = this.#byId.get(id);
    return media?.phoneNumberId === phoneNumberId ? media : undefined;
  }

  /** Whether there was something to delete. */
  delete(phoneNumberId: string, id: string): boolean {
    const media = this.find(phoneNumberId, id);
    if (media !== undefined) {
      this.#forget(media);
    }
    return media !== undefined;
  }

  #forget(media: Media): void {
    this.#byId.delete(media.id);
    this.#bytes -= media.bytes.length;
  }
}
