interface StartFacts {
  url: string;
  redis: string;
  /** Whether queued jobs survive a restart. */
  persistent: boolean;
  postgres: string;
  /** Absolute. */
  dataDir: string;
  /** The model of a request that names none. */
  model: string;
}

/** What `npm start` says once it serves: where, with what, and how to go on. */
export function startBlock({ url, redis, persistent, postgres, dataDir, model }: StartFacts): string {
  const demo = model.startsWith('demo');
  const lines = [
    ['Open', url],
    ['Model', demo ? `${model} (a stand-in that needs no key)` : model],
    ...(demo ? [['For Claude', 'ANTHROPIC_API_KEY=sk-ant-… npm start']] : []),
    ['Postgres', postgres],
    ['Redis', persistent ? redis : `${redis}: in memory, for trying out (apt install redis-server)`],
    ['Data', dataDir],
    ['Stop', 'Ctrl-C'],
  ];
  const block = lines.map(([label = '', value = '']) => `  ${label.padEnd(11)}${value}`);
  return `\n  Tokencast is running\n\n${block.join('\n')}\n`;
}
