import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineTool } from './tool.js';

const conditions = ['sunny', 'partly cloudy', 'cloudy', 'light rain', 'thunderstorm', 'fog', 'snow'] as const;

const input = z.object({
  city: z.string().trim().min(1).max(100).describe('Name of the city, such as "Paris"'),
  unit: z.enum(['celsius', 'fahrenheit']).default('celsius').describe('Of the temperature'),
});

/** Sample data: what one might expect of a weather service, made from the city's name. */
export const getWeather = defineTool({
  name: 'get_weather',
  input,
  timeoutMs: 5000,
  run: ({ city, unit }) => {
    const [sky = 0, warmth = 0, moisture = 0, air = 0] = createHash('sha256')
      .update(city.toLowerCase())
      .digest();
    const celsius = (warmth % 40) - 5;
    const snows = celsius < 3;
    const condition = conditions[sky % (snows ? conditions.length : conditions.length - 1)];
    return Promise.resolve({
      city,
      condition,
      temperature: unit === 'celsius' ? celsius : Math.round(celsius * 1.8 + 32),
      unit,
      humidityPercent: 30 + (moisture % 66),
      windKmh: air % 60,
      source: 'sample data',
    });
  },
});
