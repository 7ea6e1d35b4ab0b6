/**
 * The dependency table of the house: who may import whom. Anything of ours that is not named is forbidden.
 * Every folder may import itself; composition roots (main*.ts) may import
 * everything and are imported by nothing; what they share (compose*.ts) is imported by them alone.
 */
const table = {
  'src/domain': [],
  'src/lib': [],
  'src/wire': ['src/domain'],
  'src/config': [],
  'src/redis': ['src/domain', 'src/wire', 'src/lib'],
  'src/queue': ['src/domain', 'src/wire', 'src/lib'],
  'src/store': ['src/domain', 'src/lib'],
  'src/providers': ['src/domain', 'src/lib'],
  'src/reading': ['src/domain', 'src/lib'],
  'src/storage': ['src/domain', 'src/lib'],
  'src/service': ['src/domain', 'src/wire', 'src/lib', 'src/store', 'src/redis', 'src/queue'],
  'src/api': [
    'src/domain',
    'src/wire',
    'src/lib',
    'src/store',
    'src/redis',
    'src/service',
    'src/queue',
    'src/reading',
    'src/storage',
  ],
  'src/gateway': ['src/domain', 'src/wire', 'src/lib', 'src/store', 'src/redis'],
  'src/embedded': ['src/domain', 'src/lib'],
  'src/client': ['src/wire', 'src/domain'],
  'src/react': ['src/client'],
  'src/cli': [
    'src/client',
    'src/domain',
    'src/wire',
    'src/config',
    'src/store',
    'src/redis',
    'src/lib',
    'src/embedded',
  ],
  workers: [
    'src/domain',
    'src/wire',
    'src/lib',
    'src/store',
    'src/queue',
    'src/redis',
    'src/service',
    'src/providers',
    'src/storage',
  ],
  'web/src': ['src/client', 'src/react', 'src/wire'],
};

const compositionRoots = '^(src|workers)/(main|main-api|compose-[a-z]+)\\.ts$';
/** In the command line's program: what starts a root, and what looks at the settings of one. */
const startCommand = '^src/cli/start\\.ts$';
const doctor = '^src/cli/doctor/';
const ours = '^(src|workers|web/src)/';

const folders = Object.entries(table).map(([from, allowed]) => ({
  name: `${from.replace('/', '-')}-imports`,
  severity: 'error',
  comment: `${from} may import ${allowed.length ? allowed.join(', ') : 'nothing of ours'}.`,
  from: { path: `^${from}/`, pathNot: [compositionRoots, startCommand] },
  to: { path: ours, pathNot: [from, ...allowed].map((folder) => `^${folder}/`) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...folders,
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'roots-are-not-imported',
      severity: 'error',
      from: { pathNot: startCommand },
      to: { path: '^(src|workers)/main[.-]' },
    },
    {
      name: 'compose-is-for-roots',
      severity: 'error',
      from: { path: ours, pathNot: [compositionRoots, startCommand] },
      to: { path: compositionRoots },
    },
    {
      name: 'client-without-node',
      severity: 'error',
      from: { path: '^(src/(client|react|wire|domain)|web/src)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'config-needs-zod-alone',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { dependencyTypes: ['npm'], pathNot: 'node_modules/zod/' },
    },
    {
      name: 'config-is-read-by-roots',
      severity: 'error',
      from: { path: ours, pathNot: [compositionRoots, '^src/config/', doctor] },
      to: { path: '^src/config/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'large-packages-on-demand',
      severity: 'error',
      comment: 'What few need and much memory is loaded by import(), when it is asked for.',
      from: {},
      to: { path: '^src/(lib/otel-tracing|api/queue-board)\\.ts$', dynamic: false },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
};
