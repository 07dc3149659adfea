// The rules as the server keeps them, and the tree that the builder edits. Pure: no page, no React.
//
// A group of the tree is {id, combinator, rules}, a condition is the server's own object with an id. The combinator
// `none` stands for not(any). `bare` remembers that the JSON had no list around the only rule, so that rules that
// nobody changes are written as they were read.

let last = 0;

/** An id that no other node of this page has. */
export function newId() {
  last += 1;
  return `rule-${last}`;
}

/** How the rules of a group are joined: name, words after "who match", and what stands between two rules. */
export const JOINS = [
  {name: 'all', label: 'all of these', between: 'and'},
  {name: 'any', label: 'at least one of these', between: 'or'},
  {name: 'none', label: 'none of these', between: 'nor'},
];

export const isGroup = (node) => Array.isArray(node.rules);

export function group(combinator, rules = []) {
  return {id: newId(), combinator, rules};
}

/** The tree of rules as stored; throws where this is not one. */
export function fromJson(stored) {
  const node = read(stored.rule);
  return isGroup(node) ? node : {...group('all', [node]), bare: true};
}

function read(rule) {
  if (Array.isArray(rule.all)) return group('all', rule.all.map(read));
  if (Array.isArray(rule.any)) return group('any', rule.any.map(read));
  if (rule.not !== undefined) {
    const inner = read(rule.not);
    return Array.isArray(rule.not.any) ? {...inner, combinator: 'none'} : {...group('none', [inner]), bare: true};
  }
  if (typeof rule.field !== 'string') throw new TypeError('This is not a rule.');
  return {...rule, id: newId()};
}

/**
 * What is stored of a tree: `rules`, and the two ways between a node and its place as the server names it:
 * `paths` (id to path) and `nodes` (path to id).
 */
export function toJson(root) {
  const paths = new Map();
  const nodes = new Map();

  function write(node, path) {
    paths.set(node.id, path);
    nodes.set(path, node.id);
    if (!isGroup(node)) {
      const {id, ...condition} = node;
      return condition;
    }
    const list = (key, at) => ({[key]: node.rules.map((one, n) => write(one, `${at}.${key}[${n}]`))});
    const alone = node.bare && node.rules.length === 1;
    if (node.combinator !== 'none') return alone ? write(node.rules[0], path) : list(node.combinator, path);
    const inner = `${path}.not`;
    if (alone) return {not: write(node.rules[0], inner)};
    nodes.set(inner, node.id);
    return {not: list('any', inner)};
  }

  const rule = write(root, 'rule');
  return {rules: {version: 1, rule}, paths, nodes};
}

/** Which node a path of the server's means, and what is left of the path inside it. */
export function placeOf(path, nodes) {
  let known = path;
  while (known && !nodes.has(known)) known = known.replace(/(^|\.)[^.[\]]*$|\[\d+\]$/, '');
  return {id: nodes.get(known || 'rule'), rest: path.slice(known.length)};
}

/** The server's problems by node: id to [{rest, message}]. */
export function problemsByNode(problems, nodes) {
  const found = new Map();
  for (const {path, message} of problems) {
    const {id, rest} = placeOf(path, nodes);
    found.set(id, [...(found.get(id) || []), {rest, message}]);
  }
  return found;
}

/** Every node, from the top down. */
export function* walk(node) {
  yield node;
  if (isGroup(node)) for (const one of node.rules) yield* walk(one);
}

/** How many rules and groups the server will count. */
export function size(root) {
  let found = 0;
  for (const node of walk(root)) found += node.combinator === 'none' && !(node.bare && node.rules.length === 1) ? 2 : 1;
  return found;
}

/** A copy with new ids. */
export function copy(node) {
  return isGroup(node) ? {...node, id: newId(), rules: node.rules.map(copy)} : {...node, id: newId()};
}

/** The tree with another node in place of the one with this id; what is not on the way stays the same object. */
export function replaced(node, id, wanted) {
  if (node.id === id) return wanted;
  if (!isGroup(node)) return node;
  const rules = node.rules.map((one) => replaced(one, id, wanted));
  return rules.every((one, n) => one === node.rules[n]) ? node : {...node, rules};
}
