#!/usr/bin/env node
import { Command, Option } from 'commander';
import type { DoctorOptions } from './doctor/doctor.js';
import {
  givenToken,
  urlOption,
  whole,
  withGuestOptions,
  withServerOptions,
  type GuestOptions,
  type ServerOptions,
} from './options.js';
import type { SendOptions } from './send/send.js';

/** `tokencast`: what the server can do, from the command line. A command is loaded when it is run. */

// Whoever reads what is written has read enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const program = new Command('tokencast')
  .description('Answers of language models, live in every window: the server, and what it can do.')
  .showHelpAfterError();

program
  .command('start')
  .description('Start the whole system, as npm start does: settings are environment variables.')
  .action(async () => {
    const { start } = await import('./start.js');
    await start();
  });

withGuestOptions(program.command('send'))
  .description('Send a message and show the answer as it is written. Ctrl-C cancels the answer.')
  .argument('[words...]', 'the message; without one, or with -, standard input')
  .option(
    '-r, --room <room>',
    'a conversation to send it to, or a link of an invitation; by default a new one',
  )
  .option('-m, --model <name>', 'the model; by default the room’s or the server’s own')
  .option('-w, --wrap <columns>', 'wrap lines at words', whole(10, 1000))
  .option('-t, --typewriter', 'at an even pace, character by character')
  .option('-p, --progress', 'show how far the answer is')
  .option('-q, --quiet', 'the answer alone, without its room and figures')
  .action(async (words: string[], options: SendOptions) => {
    const { send } = await import('./send/send.js');
    process.exitCode = await send(words, options);
  });

withGuestOptions(program.command('chat'))
  .description('Take part in a room. Ctrl-C cancels the answer that is being written, else leaves.')
  .argument('[room]', 'a conversation, or a link of an invitation; by default a new one')
  .option('-m, --model <name>', 'the model of your questions; by default the room’s or the server’s own')
  .action(async (room: string | undefined, options: GuestOptions & { model?: string }) => {
    const { chat } = await import('./room/chat.js');
    process.exitCode = await chat(room, options);
  });

withGuestOptions(program.command('watch'))
  .description('Show what happens in a room. A document is watched to its end.')
  .argument('<room>', 'conversation:<id>, document:<id>, an id, or a link of the page')
  .action(async (room: string, options: GuestOptions) => {
    const { watch } = await import('./room/watch.js');
    process.exitCode = await watch(room, options);
  });

withGuestOptions(program.command('cancel'))
  .description('Stop an answer, all answers of a conversation, or a document.')
  .argument('<what>', 'generation:<id>, conversation:<id>, document:<id>, or an id')
  .action(async (what: string, options: GuestOptions) => {
    const { cancel } = await import('./cancel.js');
    process.exitCode = await cancel(what, options);
  });

program
  .command('doctor')
  .description(
    'Look for what is wrong: settings, stores and ports of this machine, and with --url a server and the proxies in front.',
  )
  .addOption(urlOption())
  .option('--token <token>', 'with --url: of any user; also TOKENCAST_TOKEN; by default a new guest’s')
  .addOption(
    new Option('--role <role>', 'the program whose settings they are')
      .choices(['all', 'api', 'worker'])
      .default('all'),
  )
  .action(async (options: DoctorOptions) => {
    const { doctor } = await import('./doctor/doctor.js');
    process.exitCode = await doctor(options);
  });

withServerOptions(program.command('analyse'), 'whose documents they are; by default a guest’s, kept in --out')
  .description(
    'Analyse files and folders, section by section, on the server. Ctrl-C stops; the same command again goes on.',
  )
  .argument('<paths...>', 'files, and folders with all that is in them')
  .requiredOption(
    '-o, --out <folder>',
    'where results are written: for each file a report (.md) and all of it (.json)',
  )
  .option('-m, --model <name>', 'the model; by default the server’s own')
  .option('-n, --at-once <count>', 'documents that are analysed together', whole(1, 999), 3)
  .action(
    async (paths: string[], options: ServerOptions & { out: string; model?: string; atOnce: number }) => {
      const token = givenToken(options);
      const { analyse } = await import('./analyse/analyse.js');
      process.exitCode = await analyse(paths, { ...options, ...(token && { token }) });
    },
  );

await program.parseAsync();
