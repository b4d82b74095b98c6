/**
 * One length-prefixed message on a stream: an unsigned varint (LEB128, as multiformats' unsigned-varint) and that many
 * bytes. A reader refuses a length beyond its limit before it keeps a byte of the body.
 */
import type { Stream } from "@libp2p/interface";
import { CodedError } from "./codedError.ts";

/** Four bytes of varint say up to 256 MiB, more than any limit in use; a longer prefix is nonsense. */
const MAX_PREFIX_BYTES = 4;

/** The varint of a length. @param length 0 to 2^28 - 1. */
export function encodeLength(length: number): Uint8Array {
  const bytes: number[] = [];
  let rest = length;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Sends one message and waits until the stream has taken it. */
export async function writeFrame(stream: Stream, message: Uint8Array, signal: AbortSignal): Promise<void> {
  const frame = Buffer.concat([encodeLength(message.length), message]);
  if (!stream.send(frame)) await stream.onDrain({ signal });
}

/** Collects a message from chunks of any size. */
export class FrameReader {
  readonly #maxBytes: number;
  #length: number | null = null;
  #prefix: number[] = [];
  #body: Uint8Array = new Uint8Array(0);
  #received = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The message's length, once its prefix is whole. */
  get length(): number | null {
    return this.#length;
  }

  /**
   * Takes the next chunk.
   * @returns the message once it is whole; null while it is not; "oversized" or "malformed" where it can never be.
   */
  push(chunk: Uint8Array): Uint8Array | null | "oversized" | "malformed" {
    let offset = 0;
    while (this.#length === null) {
      if (offset === chunk.length) return null;
      const byte = chunk[offset++]!;
      this.#prefix.push(byte);
      if (byte < 0x80) {
        const length = this.#prefix.reduceRight((sum, b) => sum * 128 + (b & 0x7f), 0);
        // A varint has one form: its last byte is zero only when it is the only one.
        if (byte === 0 && this.#prefix.length > 1) return "malformed";
        if (length > this.#maxBytes) return "oversized";
        this.#length = length;
        this.#body = new Uint8Array(length);
      } else if (this.#prefix.length === MAX_PREFIX_BYTES) {
        return "malformed";
      }
    }
    const rest = chunk.subarray(offset);
    if (this.#received + rest.length > this.#length) return "malformed";
    this.#body.set(rest, this.#received);
    this.#received += rest.length;
    return this.#received === this.#length ? this.#body : null;
  }
}

/** Takes a stream of messages apart, as its chunks come. */
export class FrameSplitter {
  readonly #maxBytes: number;
  #reader: FrameReader;
  #missingBytes: number | null = null;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#reader = new FrameReader(maxBytes);
  }

  /** Takes the next chunk. @returns the messages that are whole with it, or why nothing more can be read. */
  push(chunk: Uint8Array): Uint8Array[] | "oversized" | "malformed" {
    const messages: Uint8Array[] = [];
    for (let offset = 0; offset < chunk.length; ) {
      // The prefix goes in byte by byte, so that no piece reaches beyond its message.
      const take = this.#missingBytes === null ? 1 : Math.min(this.#missingBytes, chunk.length - offset);
      const result = this.#reader.push(chunk.subarray(offset, offset + take));
      if (typeof result === "string") return result;
      if (result !== null) {
        messages.push(result);
        this.#reader = new FrameReader(this.#maxBytes);
        this.#missingBytes = null;
      } else if (this.#missingBytes !== null) this.#missingBytes -= take;
      else this.#missingBytes = this.#reader.length;
      offset += take;
    }
    return messages;
  }
}

/**
 * Reads the one message that a stream's other side sends.
 * @throws CodedError "answer_oversized" or "request_refused" where it is over the limit, malformed or cut off.
 */
export async function readFrame(stream: Stream, maxBytes: number): Promise<Uint8Array> {
  const reader = new FrameReader(maxBytes);
  for await (const chunk of stream) {
    const result = reader.push(chunk.subarray());
    if (result === "oversized") throw new CodedError("answer_oversized", `more than ${maxBytes} bytes`);
    if (result === "malformed") throw new CodedError("request_refused", "the message's framing is malformed");
    if (result !== null) return result;
  }
  throw new CodedError("request_refused", "the stream ended before its message did");
}
