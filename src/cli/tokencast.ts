#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { analyse } from './analyse/analyse.js';

/** `tokencast`: what the server can do, from the command line. */

function whole(value: string): number {
  if (!/^[1-9]\d{0,2}$/.test(value)) throw new InvalidArgumentError('It has to be a number from 1 to 999.');
  return Number(value);
}

/** As earlier runs in the same folder know it, however it is written. */
function address(value: string): string {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value))
    throw new InvalidArgumentError('It has to begin with http:// or https://.');
  return value.replace(/\/+$/, '');
}

const { TOKENCAST_TOKEN } = process.env;

const program = new Command('tokencast')
  .description('Background analysis of documents with a Tokencast server.')
  .showHelpAfterError();

program
  .command('analyse')
  .description(
    'Analyse files and folders, section by section, on the server. Ctrl-C stops; the same command again goes on.',
  )
  .argument('<paths...>', 'files, and folders with all that is in them')
  .requiredOption(
    '-o, --out <folder>',
    'where results are written: for each file a report (.md) and all of it (.json)',
  )
  .option('-m, --model <name>', 'the model; by default the server’s own')
  .option('-n, --at-once <count>', 'documents that are analysed together', whole, 3)
  .addOption(
    new Option('--url <address>', 'the server')
      .env('TOKENCAST_URL')
      .default('http://127.0.0.1:3000')
      .argParser(address),
  )
  // Its default is not shown: it is a secret.
  .option(
    '--token <token>',
    'whose documents they are; also TOKENCAST_TOKEN; by default a guest’s, kept in --out',
  )
  .action(
    async (
      paths: string[],
      options: { out: string; model?: string; atOnce: number; url: string; token?: string },
    ) => {
      const token = options.token ?? TOKENCAST_TOKEN;
      process.exitCode = await analyse(paths, { ...options, ...(token && { token }) });
    },
  );

await program.parseAsync();
