import { bigint, customType, timestamp } from 'drizzle-orm/pg-core';

/** Money in whole nano-dollars (10⁻⁹ USD); see docs/decisions/0004. */
export const nano = (name: string) => bigint(name, { mode: 'number' });

export const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

export const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
