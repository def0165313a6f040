/** What canonical JSON can say. In a file of its own because JSDoc cannot define a type by itself. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [name: string]: Json };
