/** The names of the files in a hotspot's home that its commands make. */

export const CONFIG_FILE = "config.toml";
export const KEY_FILE = "key";
export const GENESIS_FILE = "genesis.json";
