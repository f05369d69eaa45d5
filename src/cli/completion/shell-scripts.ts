export type Shell = 'bash' | 'zsh';

const BASH = `# Completion of burnish commands. Source this from ~/.bashrc:
#   source <(burnish completion bash)
_burnish_complete() {
  mapfile -t COMPREPLY < <(
    COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" burnish __complete bash 2>/dev/null
  )
}
complete -o nospace -o nosort -F _burnish_complete burnish 2>/dev/null ||
  complete -o nospace -F _burnish_complete burnish
`;

const ZSH = `#compdef burnish
# Completion of burnish commands. Source this from ~/.zshrc, after compinit:
#   source <(burnish completion zsh)
_burnish() {
  local text partial documentation
  local -a whole whole_shown more more_shown
  local line="\${(j: :)words[1,CURRENT]}"
  while IFS=$'\\t' read -r text partial documentation; do
    if [[ "$partial" == + ]]; then
      more+=("$text"); more_shown+=("$text\${documentation:+  -- $documentation}")
    else
      whole+=("$text"); whole_shown+=("$text\${documentation:+  -- $documentation}")
    fi
  done < <(COMP_LINE="$line" COMP_POINT="\${#line}" burnish __complete zsh 2>/dev/null)
  (( \${#whole} )) && compadd -l -V burnish -d whole_shown -- "\${whole[@]}"
  (( \${#more} )) && compadd -l -V burnish-more -S '' -d more_shown -- "\${more[@]}"
}
if [[ "\${funcstack[1]:-}" == "_burnish" ]]; then
  _burnish "$@"
else
  compdef _burnish burnish
fi
`;

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH };

export const isShell = (name: string): name is Shell => Object.hasOwn(COMPLETION_SCRIPTS, name);
