// What the parts of the builder share.

import {createContext} from 'react';

/** {base, catalogue, readOnly, ops, hold}: the same from the first rule to the last, so that a change draws little. */
export const Builder = createContext(null);

/** {faults(id), mark(id), loud}: what is said at each rule; read by groups, which hand it down. */
export const Notes = createContext(null);
