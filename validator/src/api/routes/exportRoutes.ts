/** Everything that was paid, as a stream of lines for whoever keeps a copy. */
import { setImmediate } from "node:timers/promises";
import { Type } from "typebox";
import { decodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import {
  type EpochRow,
  MAX_PAGE_ROWS,
  type Page,
  type PlainLine,
  type QueryStore,
} from "../../store/store.ts";
import { type KeyTexts, textsOf } from "../keyTexts.ts";
import { presentLineOf } from "../present.ts";
import { badField, notFound } from "../problem.ts";
import { isUnchanged, restOn } from "../requests.ts";
import { EpochNumber, object, PROBLEMS, UNCHANGED } from "../schemas/common.ts";
import { type ExportedEpochJson, type ExportedRewardJson, ExportLine } from "../schemas/rewards.ts";
import type { RouteContext, Routes } from "./context.ts";

/** Keys whose texts an export remembers: some 100 bytes each beside the texts themselves. */
const MAX_KEY_TEXTS = 50_000;

export function addExportRoutes(routes: Routes, { modules: { store }, longAnswers }: RouteContext): void {
  routes.get(
    "/v1/export/rewards",
    {
      exposeHeadRoute: false,
      schema: {
        summary: "Every reward line from an epoch on, as newline-delimited JSON",
        description:
          "Lines of type `reward` in the order of epochs and ranks, and after each epoch's one of type `epoch`. Whoever is interrupted goes on with the epoch after the last such line. Both ends are included; without `toEpoch` the newest closed epoch is the last.",
        tags: ["epochs"],
        querystring: object({ fromEpoch: EpochNumber, toEpoch: Type.Optional(EpochNumber) }),
        response: {
          200: { description: "The lines.", content: { "application/x-ndjson": { schema: ExportLine } } },
          304: UNCHANGED,
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { fromEpoch: from, toEpoch } = request.query;
      if (from > (toEpoch ?? Number.MAX_SAFE_INTEGER))
        throw badField("fromEpoch", "must not be after toEpoch");
      const latest = await store.latestEpoch();
      reply.header("content-type", "application/x-ndjson; charset=utf-8");
      // Whoever has all of it asks for what comes next, and there is nothing yet.
      if (from > (latest?.epoch ?? -1)) return reply.header("cache-control", "no-store").send("" as never);
      const to = Math.min(toEpoch ?? Number.MAX_SAFE_INTEGER, latest!.epoch);
      const [first, last] = [await store.getEpoch(from), await store.getEpoch(to)];
      if (first === null || last === null) throw notFound("closed epoch");
      const isFixed = toEpoch === to;
      const variant = `export-${from}-${to}`;
      if (isUnchanged(request, reply, { basis: restOn(last), variant, isFixed }))
        return reply.code(304).send(null);
      // The schema describes the lines of the text that the stream gives.
      return reply.send(longAnswers.open(writeLines(store, from, to), request.ip) as never);
    },
  );
}

async function* writeLines(store: QueryStore, from: number, to: number): AsyncGenerator<string> {
  const texts = new TextsByHex();
  for (let epoch = from; epoch <= to; epoch++) {
    const row = (await store.getEpoch(epoch))!;
    let lines = 0;
    for (let next: number | null = 0; next !== null; ) {
      const page: Page<PlainLine, number> = await store.listPlainLines(epoch, next, MAX_PAGE_ROWS);
      if (page.rows.length > 0) yield page.rows.map((line) => writeReward(epoch, line, texts)).join("");
      lines += page.rows.length;
      // The rounds come first: without a turn of the event loop a fast client's export would hold them up to its end.
      await setImmediate();
      next = page.next;
    }
    yield writeEpoch(row, lines);
  }
}

function writeReward(epoch: number, line: PlainLine, texts: TextsByHex): string {
  const { did: hotspot, name } = texts.of(line.hotspot);
  const { did: owner } = texts.of(line.owner);
  const json: ExportedRewardJson = {
    type: "reward",
    epoch,
    ...presentLineOf(line, { hotspot, name, owner }),
  };
  return `${JSON.stringify(json)}\n`;
}

/** @param lines that were written: as many as the epoch has. */
function writeEpoch(row: EpochRow, lines: number): string {
  const { epoch, startTimeMs, endTimeMs, pools, escrow } = row;
  const json: ExportedEpochJson = {
    type: "epoch",
    epoch,
    startTimeMs,
    endTimeMs,
    lines,
    // By the books: what left the two pools, without what went into escrow. The lines before must make it.
    paid: `${pools.beacons.paid + pools.witnesses.paid - escrow.withheld}`,
    recordDigest: encodeHex0x(row.recordDigest),
  };
  return `${JSON.stringify(json)}\n`;
}

/** Texts of keys by their hexadecimal, as the store gives them for a copy of everything. */
class TextsByHex {
  readonly #known = new Map<string, KeyTexts>();

  of(hex: string): KeyTexts {
    const known = this.#known.get(hex);
    if (known !== undefined) return known;
    const texts = textsOf(decodeHex(hex, 32)!);
    if (this.#known.size >= MAX_KEY_TEXTS) this.#known.clear();
    this.#known.set(hex, texts);
    return texts;
  }
}
