import { expect, test } from 'vitest';
import { getWeather } from '../../../../workers/tools/get-weather.js';
import { ToolError } from '../../../../workers/tools/tool.js';

const { signal } = new AbortController();
const weatherIn = async (input: unknown) =>
  JSON.parse((await getWeather.run(input, signal)).text) as Record<string, unknown>;

test('the weather is the same for the same city, in either unit, and says that it is made up', async () => {
  const paris = await weatherIn({ city: 'Paris' });
  expect(await weatherIn({ city: ' paris ' })).toEqual({ ...paris, city: 'paris' });
  expect(paris).toMatchObject({ unit: 'celsius', source: 'sample data' });
  const fahrenheit = await weatherIn({ city: 'Paris', unit: 'fahrenheit' });
  expect(fahrenheit.temperature).toBe(Math.round(Number(paris.temperature) * 1.8 + 32));
  expect(await weatherIn({ city: 'Oslo' })).not.toMatchObject({ humidityPercent: paris.humidityPercent });
});

test('a wrong input is refused with what is wrong about it', async () => {
  await expect(getWeather.run({ town: 'Paris' }, signal)).rejects.toThrow(ToolError);
  await expect(getWeather.run({ city: 'Paris', unit: 'kelvin' }, signal)).rejects.toThrow('unit');
});

test('the model is told what the input has to be', () => {
  expect(getWeather.inputSchema).toMatchObject({
    type: 'object',
    properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
    required: ['city'],
  });
});
