/** The script for zsh: the same walk as in bash, with descriptions. It can be sourced, or lie as `_kelp` in `fpath`. */
import { type Place, type Values, singleQuoted } from './places.ts';

export function zshScript(places: readonly Place[]): string {
  return `#compdef kelp
# Completion of kelp for zsh: source <(kelp completion zsh), behind compinit
_kelp_place() {
  case "$1" in
${places.map(placeCase).join('\n')}
  esac
}

_kelp_values() {
  case "$1" in
${places.flatMap(valueCases).join('\n')}
  esac
}

_kelp_step() {
  case "$1" in
${places.flatMap(stepCases).join('\n')}
    (*) return 1 ;;
  esac
}

_kelp() {
  local place='' option='' ended='' word
  local -a commands options valued offered
  local -i i arguments=0
  _kelp_place ''
  for ((i = 2; i < CURRENT; i++)); do
    word=\${(Q)words[i]}
    if [[ -n $option ]]; then
      option=''
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == -* ]]; then
      ((\${valued[(Ie)$word]})) && option=$word
    elif _kelp_step "$place/$word"; then
      _kelp_place "$place"
    else
      ((arguments++))
    fi
  done
  if [[ -z $option$ended && $PREFIX == --*=* ]]; then
    option=\${PREFIX%%=*}
    compset -P '*='
  fi
  if [[ -n $option ]]; then
    _kelp_values "$place $option"
  elif [[ -z $ended && $PREFIX == -* ]]; then
    _describe -o option options
  else
    ((arguments == 0 && \${#commands})) && _describe command commands
    _kelp_values "$place $arguments"
  fi
}

if [[ $funcstack[1] == _kelp ]]; then
  _kelp "$@"
else
  compdef _kelp kelp
fi
`;
}

function placeCase({ path, commands, options }: Place): string {
  const described = options.flatMap(({ names, description }) => names.map((name) => ({ name, description })));
  const valued = options.flatMap((option) => (option.values === undefined ? [] : option.names)).join(' ');
  return `    (${singleQuoted(path)})
      commands=(${commands.map(item).join(' ')})
      options=(${described.map(item).join(' ')})
      valued=(${valued}) ;;`;
}

function item({ name, description }: { readonly name: string; readonly description: string }): string {
  return singleQuoted(`${name}:${description}`);
}

function valueCases({ path, options, arguments: args }: Place): string[] {
  return [
    ...options.flatMap(({ names, values }) => names.flatMap((name) => valueCase(`${path} ${name}`, values))),
    ...args.flatMap((values, index) => valueCase(`${path} ${index}`, values)),
  ];
}

function valueCase(subject: string, values: Values | undefined): string[] {
  switch (values?.kind) {
    case 'words':
      return [`    (${singleQuoted(subject)}) compadd -- ${values.words.join(' ')} ;;`];
    case 'file':
      return [`    (${singleQuoted(subject)}) _files ;;`];
    default:
      return [];
  }
}

function stepCases({ path, steps }: Place): string[] {
  return steps.map(({ names, to }) => {
    const patterns = names.map((name) => singleQuoted(`${path}/${name}`)).join('|');
    return `    (${patterns}) place=${singleQuoted(to)} ;;`;
  });
}
