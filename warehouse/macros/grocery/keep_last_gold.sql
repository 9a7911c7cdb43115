{# Pre-hook of gold: a load that leaves no line stops here, and gold keeps the last good load. #}
{% macro keep_last_gold() -%}
    {%- if execute -%}
        {%- set kept = run_query(
            'select count(*) from (select 1 from silver.grocery_baskets limit 1)'
        ).rows[0][0] -%}
        {%- if not kept -%}
            {%- set reasons = [] -%}
            {%- for row in run_query(
                'select rejection_reason, count(*) from silver.grocery_checked_lines'
                ~ ' group by rejection_reason order by count(*) desc'
            ).rows -%}
                {%- do reasons.append(row[1] ~ ' ' ~ row[0]) -%}
            {%- endfor -%}
            {{ exceptions.raise_compiler_error(
                'no grocery line is left (' ~ (reasons | join(', ') or 'the files hold none')
                ~ '), so gold keeps the last good load: see silver.grocery_rejections'
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
