$(call judge, judge_payload, main.c create.c host.c update.c validate.c, vm base)
