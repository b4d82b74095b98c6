/** The statements by which a round is written: one for each table, prepared once. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

const placeholders = (count: number) => Array.from({ length: count }, () => "?").join(", ");

const prepare = (db: DatabaseSync) => ({
  round: db.prepare(`INSERT INTO rounds VALUES (${placeholders(14)})`),
  lowestRound: db.prepare("SELECT min(round) AS round FROM rounds"),
  snapshot: db.prepare("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)"),
  envelope: db.prepare("INSERT INTO envelopes VALUES (?, ?, ?, ?)"),
  envelopeId: db.prepare("SELECT id FROM envelopes WHERE seq = ?"),
  setHead: db.prepare("INSERT OR REPLACE INTO heads VALUES (?, ?)"),
  report: db.prepare(`INSERT INTO reports VALUES (${placeholders(18)})`),
  verdict:
    db.prepare(`UPDATE reports SET state = ?, reason = ?, selection_pending = ?, beacon = coalesce(?, beacon),
    distance_m = coalesce(?, distance_m), ceiling_centi_dbm = coalesce(?, ceiling_centi_dbm),
    units_ppm = coalesce(?, units_ppm) WHERE seq = ?`),
  beacon:
    db.prepare(`INSERT INTO beacons (seq, id_prefix, commit_hash, freq_hz, spreading_factor, bandwidth_hz,
    power_centi_dbm, time_ms) VALUES (${placeholders(8)}) ON CONFLICT (seq) DO NOTHING`),
  closeBeacon:
    db.prepare(`UPDATE beacons SET challenge_epoch = ?, closed_epoch = ?, closed_round = ?, reason = ?,
    eirp_centi_dbm = ?, secret = ?, accepted = ?, unpaid = ?, refused = ? WHERE seq = ?`),
  beaconUnits: db.prepare(
    "UPDATE beacons SET paid_witnesses = ?, per_witness_ppm = ?, beaconer_ppm = ? WHERE seq = ?",
  ),
  transaction: db.prepare(`INSERT INTO transactions VALUES (${placeholders(4)})`),
  hotspot:
    db.prepare(`INSERT INTO hotspots (key, owner, registered_epoch, bond, cell, lat_e7, lng_e7, gain_centi_dbi,
    elevation_m, region, from_epoch, last_active_epoch, silent_until_epoch, leaving_until_epoch,
    device_key, device_from_epoch) VALUES (${placeholders(16)})
    ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, registered_epoch = excluded.registered_epoch,
    bond = excluded.bond, cell = excluded.cell, lat_e7 = excluded.lat_e7, lng_e7 = excluded.lng_e7,
    gain_centi_dbi = excluded.gain_centi_dbi, elevation_m = excluded.elevation_m, region = excluded.region,
    from_epoch = excluded.from_epoch, last_active_epoch = excluded.last_active_epoch,
    silent_until_epoch = excluded.silent_until_epoch, leaving_until_epoch = excluded.leaving_until_epoch,
    device_key = excluded.device_key, device_from_epoch = excluded.device_from_epoch`),
  chain: db.prepare(
    "SELECT position, envelope FROM hotspots LEFT JOIN heads ON heads.hotspot = position WHERE key = ?",
  ),
  account: db.prepare(`INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
    balance = excluded.balance, nonce = excluded.nonce, earned = excluded.earned`),
  epoch: db.prepare(`INSERT INTO epochs VALUES (${placeholders(22)})`),
  rewardLine: db.prepare(`INSERT INTO reward_lines VALUES (${placeholders(13)})`),
  earning: db.prepare(`INSERT INTO earnings VALUES (${placeholders(7)})`),
  release: db.prepare(`INSERT INTO releases VALUES (${placeholders(4)})`),
  trust: db.prepare(`INSERT INTO trust VALUES (${placeholders(7)})`),
  coverage: db.prepare(`INSERT INTO coverage VALUES (${placeholders(7)})`),
});

export type WriteStatements = Record<keyof ReturnType<typeof prepare>, StatementSync>;

export const prepareWriting = (db: DatabaseSync): WriteStatements => prepare(db);
