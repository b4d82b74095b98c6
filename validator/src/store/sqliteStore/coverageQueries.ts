/** Reads of coverage maps, one an epoch. */
import type { DatabaseSync } from "node:sqlite";
import type { CoverageCell, QueryStore } from "../store.ts";
import { askPage } from "./askPage.ts";
import { readNumber, readNumberOrNull, type SqlRow } from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

function readCoverage(row: SqlRow): CoverageCell {
  return {
    cell: row.cell as bigint,
    cells: readNumber(row, "cells"),
    hotspots: readNumber(row, "hotspots"),
    counterpartsMax: readNumber(row, "counterparts_max"),
    coveragePpmMax: readNumber(row, "coverage_ppm_max"),
  };
}

export function createCoverageQueries(
  db: DatabaseSync,
): Pick<QueryStore, "latestCoverageEpoch" | "listCoverage"> {
  const latest = prepareReading(db, "SELECT max(epoch) AS epoch FROM coverage");
  const within = prepareReading(
    db,
    "SELECT * FROM coverage WHERE epoch = ? AND resolution = ? AND cell BETWEEN ? AND ? ORDER BY cell LIMIT ?",
  );
  return {
    latestCoverageEpoch: async () => latest.one((row) => readNumberOrNull(row, "epoch")),
    listCoverage: async (epoch, resolution, range, after, limit) => {
      // Of two lower bounds the index takes one, and all between them would be looked at.
      const from = after === null || after < range.from ? range.from : after + 1n;
      return askPage(
        limit,
        (rows) => within.all(readCoverage, epoch, resolution, from, range.to, rows),
        ({ cell }) => cell,
      );
    },
  };
}
