/**
 * The script for bash, from 3.2 on, without the package bash-completion. It walks the words before the cursor to the
 * command that they name, and offers what can follow.
 */
import { type Place, type Values, singleQuoted } from './places.ts';

export function bashScript(places: readonly Place[]): string {
  return `# Completion of kelp for bash: source <(kelp completion bash)
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

_kelp() {
  local typed=() cur value path='' option='' ended='' word i last arguments=0
  local commands options valued words='' file=''
  COMPREPLY=()
  _kelp_typed
  last=$((\${#typed[@]} - 1))
  cur=\${typed[last]} value=\${typed[last]}
  _kelp_place ''
  for ((i = 1; i < last; i++)); do
    word=\${typed[i]}
    if [[ -n $option ]]; then
      option=''
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == -* ]]; then
      [[ " $valued " == *" $word "* ]] && option=$word
    elif _kelp_step "$path/$word"; then
      _kelp_place "$path"
    else
      ((arguments++))
    fi
  done
  if [[ -z $option && -z $ended && $cur == --*=* ]]; then
    option=\${cur%%=*} value=\${cur#*=}
    [[ " $valued " == *" $option "* ]] || return 0
  fi
  if [[ -n $option ]]; then
    _kelp_values "$path $option"
  elif [[ -z $ended && $cur == -* ]]; then
    words=$options
  else
    ((arguments == 0)) && words=$commands
    _kelp_values "$path $arguments"
  fi
  # What the shell replaces is no more than what stands behind the last : or =.
  local replaced=$2 prefix=\${cur%"$value"}
  if [[ -z $file ]]; then
    COMPREPLY=($(compgen -P "$prefix" -W "$words" -- "$value"))
  elif [[ $replaced == "$value" ]]; then
    compopt -o default 2>/dev/null
    return 0
  else
    while IFS= read -r word; do
      COMPREPLY+=("$prefix$word")
    done < <(compgen -f -- "$value")
    compopt -o filenames 2>/dev/null
  fi
  for i in "\${!COMPREPLY[@]}"; do
    COMPREPLY[i]=\${COMPREPLY[i]#"\${cur%"$replaced"}"}
  done
}

# The words up to the cursor as they were typed: bash splits them at : and = (COMP_WORDBREAKS). Where no space stands
# between two of its words they are one.
_kelp_typed() {
  local line=\${COMP_LINE:0:COMP_POINT} word before i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i < COMP_CWORD)); then
      word=\${COMP_WORDS[i]}
      before=\${line%%"$word"*}
      line=\${line#*"$word"}
    else
      word=\${line#"\${line%%[![:space:]]*}"}
      before=\${line%"$word"}
    fi
    if ((i > 0)) && [[ -z $before ]]; then
      typed[\${#typed[@]}-1]+=$word
    else
      typed+=("$word")
    fi
  done
}

_kelp_step() {
  case "$1" in
${places.flatMap(stepCases).join('\n')}
    *) return 1 ;;
  esac
}

complete -F _kelp kelp
`;
}

function placeCase({ path, commands, options }: Place): string {
  const names = options.flatMap((option) => option.names).join(' ');
  const valued = options.flatMap((option) => (option.values === undefined ? [] : option.names)).join(' ');
  const of = commands.map(({ name }) => name).join(' ');
  return `    ${singleQuoted(path)}) commands='${of}' options='${names}' valued='${valued}' ;;`;
}

/** By option, and by the number of an argument. */
function valueCases({ path, options, arguments: args }: Place): string[] {
  return [
    ...options.flatMap(({ names, values }) => names.flatMap((name) => valueCase(`${path} ${name}`, values))),
    ...args.flatMap((values, index) => valueCase(`${path} ${index}`, values)),
  ];
}

function valueCase(subject: string, values: Values | undefined): string[] {
  switch (values?.kind) {
    case 'words':
      return [`    ${singleQuoted(subject)}) words=${singleQuoted(values.words.join(' '))} ;;`];
    case 'file':
      return [`    ${singleQuoted(subject)}) file=1 ;;`];
    default:
      return [];
  }
}

function stepCases({ path, steps }: Place): string[] {
  return steps.map(({ names, to }) => {
    const patterns = names.map((name) => singleQuoted(`${path}/${name}`)).join(' | ');
    return `    ${patterns}) path=${singleQuoted(to)} ;;`;
  });
}
