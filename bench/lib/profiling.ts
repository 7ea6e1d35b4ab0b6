/** Set: processes that can be profiled write their profiles there (`.cpuprofile`, for the developer tools of a browser). */
const { CPU_PROF_DIR: dir = '' } = process.env;

export const isProfiling = dir !== '';

/** For Node; a profile is written at an orderly end. */
export const profilingArgs: readonly string[] = isProfiling ? ['--cpu-prof', `--cpu-prof-dir=${dir}`] : [];
