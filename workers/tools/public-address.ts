import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import ipaddr from 'ipaddr.js';

/** Whether an address belongs to the public internet: not to this machine, its networks, or a special use. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address in IPv6 clothes is what it is.
  return ipaddr.process(address).range() === 'unicast';
}

type LookupCallback = (error: Error | null, addresses: LookupAddress[]) => void;

/**
 * Resolves a name for `net.connect`, and refuses it where any of its addresses is not allowed. The connection goes to
 * the very addresses that were checked, so a name that changes its mind between two lookups gains nothing.
 */
export const lookupOf =
  (isAllowed: (address: string) => boolean) =>
  (hostname: string, options: LookupOptions, done: LookupCallback): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) done(error, []);
      else if (addresses.every(({ address }) => isAllowed(address))) done(null, addresses);
      else done(new ForbiddenAddressError(hostname), []);
    });
  };

/** A name leads to where nobody from outside may go. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';

  constructor(hostname: string) {
    super(`${hostname} is not on the public internet`);
  }
}
