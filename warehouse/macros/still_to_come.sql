{# The rule that leaves out what happened on the day of a variable or later, as if it were still to
   come; no rule where the variable is empty. #}
{% macro still_to_come_rules(variable, time) -%}
    {%- set until = var(variable) -%}
    {{ return([
        {
            'reason': 'still_to_come',
            'rule': 'on ' ~ until ~ ' or later, which var ' ~ variable ~ ' leaves out',
            'when': time ~ " >= cast('" ~ until ~ "' as timestamp)",
        },
    ] if until else []) }}
{%- endmacro %}
