/** The module's bytes, which build.js puts into `inline` and `global`. */
declare module 'rtctrace:module' {
  export const hex: string;
}
