import type { Part } from '../part.js';
import { growthOfRooms } from './rooms.js';

/** Whether what a chunk costs stays the same when there is more of everything, and what somebody who only waits costs. */
export const growth: Part = {
  name: 'growth',
  title: 'Growth',
  measure: async (options) => `### Rooms\n\n${await growthOfRooms(options)}`,
};
