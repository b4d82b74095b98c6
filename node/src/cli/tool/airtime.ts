/** `tool airtime`: how long a LoRa packet is on air. */
import type { Command } from "commander";
import {
  BANDWIDTH_MAX_HZ,
  computeAirtimeUs,
  PAYLOAD_BYTES_MAX,
  PREAMBLE_SYMBOLS_MAX,
  SPREADING_FACTOR_MAX,
  SPREADING_FACTOR_MIN,
} from "../../../../protocol/src/radio/airtime.ts";
import { printJson } from "../io.ts";
import { type ToolIo, wholeNumber } from "./toolInput.ts";

type AirtimeFlags = { sf: number; bw: number; bytes: number; preamble: number };

/** Adds the sub-command; it prints `{"ms"}`, to the microsecond, with CRC, explicit header and coding rate 4/5. */
export function addAirtimeCommand(tool: Command, io: ToolIo): void {
  tool
    .command("airtime")
    .description("time on air of a LoRa packet with CRC, explicit header and coding rate 4/5")
    .requiredOption(
      "--sf <factor>",
      "spreading factor",
      wholeNumber(SPREADING_FACTOR_MIN, SPREADING_FACTOR_MAX),
    )
    .requiredOption("--bw <hz>", "bandwidth in Hz", wholeNumber(1, BANDWIDTH_MAX_HZ))
    .requiredOption("--bytes <count>", "physical payload", wholeNumber(0, PAYLOAD_BYTES_MAX))
    .option("--preamble <symbols>", "preamble", wholeNumber(0, PREAMBLE_SYMBOLS_MAX), 8)
    .action(({ sf, bw, bytes, preamble }: AirtimeFlags) => {
      const us = computeAirtimeUs({
        spreadingFactor: sf,
        bandwidthHz: bw,
        payloadBytes: bytes,
        preambleSymbols: preamble,
      });
      printJson(io, { ms: us / 1_000 });
    });
}
