/** Long output, chunk by chunk and no faster than it is read. */
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Writes all chunks and leaves the stream open. Whoever reads may stop (`| head`): then there is nothing left to do, and
 * no failure.
 */
export async function writeChunks(stdout: Writable, chunks: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(chunks, stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}
