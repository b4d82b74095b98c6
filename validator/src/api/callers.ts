/** Who asks: which addresses are proxies, that bring what others ask, and how many connections one address may hold. */
import { BlockList, isIP, type Socket } from "node:net";
import { AddressCounts, COLOCATED_PEERS, networkOfIp } from "../../../node/src/host/connectionLimits.ts";

/** A browser keeps a few connections, and homes behind one carrier-grade NAT share an address. */
export const MAX_HTTP_CONNECTIONS_PER_ADDRESS = 4 * COLOCATED_PEERS;

/** @param address as a socket names it, or as any text that stands in a header. */
type ProxyCheck = (address: string | undefined) => boolean;

/** @param named addresses, and networks as CIDR has them (RFC 4632); an operator's, so they are well-formed. */
export function createProxyCheck(named: readonly string[]): ProxyCheck {
  const proxies = new BlockList();
  for (const network of named) {
    const [address, bits] = network.split("/") as [string, string?];
    const family = familyOf(address)!;
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  return (address = "") => {
    const family = familyOf(address);
    return family !== null && proxies.check(address, family);
  };
}

function familyOf(address: string): "ipv4" | "ipv6" | null {
  return ({ 0: null, 4: "ipv4", 6: "ipv6" } as const)[isIP(address) as 0 | 4 | 6];
}

/**
 * Closes a new connection of an address that holds as many as it may, so that one cannot take every place. A proxy's are
 * many people's, and loopback's a whole machine's.
 */
export function createDoor(isProxy: ProxyCheck): (socket: Socket) => void {
  const places = new AddressCounts(MAX_HTTP_CONNECTIONS_PER_ADDRESS);
  return (socket) => {
    const { remoteAddress } = socket;
    if (isProxy(remoteAddress)) return;
    const leave = places.take(networkOfIp(remoteAddress ?? ""));
    if (leave === null) socket.destroy();
    else socket.once("close", leave);
  };
}
