/** Newline-delimited JSON out of a stream of bytes that is cut anywhere. */

/** The longest line, in characters: an epoch's or a reward's has less than a thousandth of it. */
const MAX_LINE_CHARS = 1_048_576;

/** Every line's value. @throws SyntaxError for a line that is no JSON, the last one included where the stream broke off in it. */
export async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) yield JSON.parse(line);
      if (rest.length > MAX_LINE_CHARS) throw new SyntaxError("a line is too long");
      if (done) break;
    }
    if (rest !== "") yield JSON.parse(rest);
  } finally {
    // Whoever stops early wants no more of it.
    await reader.cancel().catch(() => {});
  }
}
