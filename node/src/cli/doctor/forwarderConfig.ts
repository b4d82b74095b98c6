/**
 * What the doctor reads of a packet forwarder's own configuration (`global_conf.json`, with comments, as sx1302_hal and
 * packet_forwarder ship it): where it sends to, its power table, its antenna gain, whether it listens first.
 */
import { asObject, type JsonObject, readNumber } from "../../radio/gwmp/fields.ts";

export type ForwarderConfig = {
  readonly gatewayId: string | null;
  readonly serverAddress: string | null;
  readonly portUp: number | null;
  readonly portDown: number | null;
  /** The powers that the concentrator can be set to, dBm, ascending; empty where the file has no table. */
  readonly powersDbm: readonly number[];
  /** Subtracted by the forwarder from every power it is asked for, dBi. */
  readonly antennaGainDbi: number;
  readonly listensFirst: boolean;
};

/** Reads the file's text; null where it is no such configuration. */
export function decodeForwarderConfig(text: string): ForwarderConfig | null {
  let root: JsonObject | null;
  try {
    root = asObject(JSON.parse(withoutComments(text)));
  } catch {
    return null;
  }
  const board = asObject(root?.SX130x_conf ?? root?.SX1302_conf ?? root?.SX1301_conf);
  const gateway = asObject(root?.gateway_conf);
  if (board === null && gateway === null) return null;
  const toText = (value: unknown) => (typeof value === "string" ? value : null);
  return {
    gatewayId: toText(gateway?.gateway_ID)?.toLowerCase() ?? null,
    serverAddress: toText(gateway?.server_address),
    portUp: readNumber(gateway?.serv_port_up),
    portDown: readNumber(gateway?.serv_port_down),
    powersDbm: readPowersDbm(board ?? {}),
    antennaGainDbi: readNumber(board?.antenna_gain) ?? 0,
    listensFirst: isEnabled(asObject(board?.sx1261_conf)?.lbt) || isEnabled(board?.lbt_cfg),
  };
}

function isEnabled(value: unknown): boolean {
  return asObject(value)?.enable === true;
}

/** sx1302_hal lists a table in each radio, of which beacons leave by the first; packet_forwarder has one object an entry. */
function readPowersDbm(board: JsonObject): number[] {
  const table = asObject(board.radio_0)?.tx_gain_lut;
  const listed = Array.isArray(table) ? (table as unknown[]) : [];
  const named = Object.keys(board)
    .filter((name) => /^tx_lut_\d{1,2}$/.test(name))
    .map((name) => board[name]);
  const powers = [...listed, ...named].map((entry) => readNumber(asObject(entry)?.rf_power));
  return [...new Set(powers.filter((power) => power !== null))].sort((a, b) => a - b);
}

/** The text with its comments blanked; what looks like one inside a string stays. */
function withoutComments(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (match) =>
    match.startsWith('"') ? match : " ",
  );
}
