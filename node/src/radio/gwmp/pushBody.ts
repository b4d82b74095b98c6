/**
 * Takes the JSON of a PUSH_DATA apart into its `rxpk` elements, so that an element which is wrong costs nobody but
 * itself. Where the whole is not JSON (a C program prints `nan` without quotes), the elements are cut out of the text
 * by their braces and parsed one by one.
 */
import { asObject, type JsonObject } from "./fields.ts";

/** What one fetch of a real forwarder holds at most (NB_PKT_MAX of sx1302_hal; 8 with packet_forwarder). */
export const RXPK_PER_DATAGRAM_MAX = 255;

/** An element that is not JSON by itself. */
export const UNPARSABLE = Symbol("unparsable element");

export type PushBody = {
  /** The parsed elements, `UNPARSABLE` standing for those that could not be. */
  readonly elements: readonly unknown[];
  /** How many more there were than a datagram may hold. */
  readonly overLimit: number;
  readonly stat: JsonObject | null;
  /** False where the text is no JSON object, even if elements could be saved from it. */
  readonly wellFormed: boolean;
};

/** Reads the body of a PUSH_DATA (UTF-8, without trailing NULs). An empty body is a well-formed empty object. */
export function readPushBody(body: Uint8Array): PushBody {
  const text = new TextDecoder().decode(body);
  if (text.trim() === "") return { elements: [], overLimit: 0, stat: null, wellFormed: true };
  const whole = parseJson(text);
  if (whole === UNPARSABLE) return bounded(cutElements(text), null, false);
  const object = asObject(whole);
  if (object === null) return bounded([], null, false);
  const rxpk = object.rxpk ?? [];
  const stat = asObject(object.stat);
  return Array.isArray(rxpk) ? bounded(rxpk, stat, true) : bounded([UNPARSABLE], stat, true);
}

function bounded(elements: unknown[], stat: JsonObject | null, wellFormed: boolean): PushBody {
  const overLimit = Math.max(0, elements.length - RXPK_PER_DATAGRAM_MAX);
  return { elements: elements.slice(0, RXPK_PER_DATAGRAM_MAX), overLimit, stat, wellFormed };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return UNPARSABLE;
  }
}

/** The objects of the array behind `"rxpk":`, each parsed alone. One pass over the text. */
function cutElements(text: string): unknown[] {
  const elements: unknown[] = [];
  const opening = /"rxpk"\s*:\s*\[/.exec(text);
  if (opening === null) return elements;
  let depth = 0;
  let startsAt = 0;
  let quoted = false;
  for (let i = opening.index + opening[0].length; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character === "\\") i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') {
      quoted = true;
    } else if (character === "{") {
      if (depth++ === 0) startsAt = i;
    } else if (character === "}") {
      if (depth > 0 && --depth === 0) elements.push(parseJson(text.slice(startsAt, i + 1)));
    } else if (character === "]" && depth === 0) {
      break;
    }
    if (elements.length > RXPK_PER_DATAGRAM_MAX) break;
  }
  return elements;
}
