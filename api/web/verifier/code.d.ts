/** Bytes of WebAssembly, nested. In a file of its own because JSDoc cannot define a type by itself. */
export type Code = (number | Code)[];
