/** The forms of addresses that a hotspot's operator types; whether anybody answers there shows at run time. */

/** `host:port`, IPv6 hosts in brackets, port 0 to 65535; null where it is none. */
export function parseEndpoint(text: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  return port > 65_535 ? null : { host: (match[1] ?? match[2])!, port };
}

/** Whether a text is a multiaddr of a host's TCP port, with or without the peer's id. */
export function isMultiaddr(text: string): boolean {
  return /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}(\/p2p\/[1-9A-HJ-NP-Za-km-z]+)?$/.test(text);
}
