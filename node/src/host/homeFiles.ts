/** What files are called in a home: a hotspot's, an account's or a validator's. */

export const CONFIG_FILE = "config.toml";
export const KEY_FILE = "key";
export const GENESIS_FILE = "genesis.json";
