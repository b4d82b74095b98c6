/** Sets of real receptions, one a row. They are known by their columns: another folder has other sets. */
import { type DataFolder, listFiles, type Row, readCsv } from "./dataFolder.ts";

/** One file's receptions. */
export type LinkSet = { readonly set: string; readonly rows: readonly Row[] };

/** What a file of receptions has: without these columns it is another table. */
const LINK_COLUMNS = ["rssi_dbm", "snr_db", "freq_hz", "sf", "bw_hz", "distance_m", "eirp_max_dbm"];

/**
 * Handheld and single-channel receivers (SX127x end devices), whose strengths lie up to 10 dB below what their SNR
 * allows. No hotspot receives with one, and nothing in a row tells: so they are known by name, shown, and not judged.
 */
const END_DEVICE_SETS = /^(ghent|perth|shenzhen)/;

export const isEndDeviceSet = (set: string): boolean => END_DEVICE_SETS.test(set);

/** All sets of receptions in the folder, by name. Rows without a strength are none. */
export function readLinkSets(folder: DataFolder): LinkSet[] {
  return listFiles(folder, /\.csv\.gz$/).flatMap((name) => {
    const wasRead = folder.read.has(name);
    const rows = readCsv(folder, name);
    if (rows.length > 0 && LINK_COLUMNS.every((column) => column in rows[0]!)) {
      return [{ set: name.replace(".csv.gz", ""), rows: rows.filter(({ rssi_dbm }) => rssi_dbm !== "") }];
    }
    // Only looked into.
    if (!wasRead) folder.read.delete(name);
    return [];
  });
}
